//! nginx as the server of all: one worker on one core, everything in memory.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder;
use crate::tools::Tools;

/// The core that the server has to itself, and the one that the client has.
pub(crate) const CORES: (&str, &str) = ("0", "1");

/// A running nginx; ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    /// Plain HTTP/1.1.
    pub plain: u16,
    /// HTTP/1.1 over TLS 1.3.
    pub tls: u16,
    /// HTTP/2 over TLS 1.3.
    pub http2: u16,
    files: PathBuf,
}

impl Server {
    /// Starts it on its core and waits until it answers.
    pub(crate) fn start(tools: &Tools) -> Result<Self, String> {
        Self::start_on(tools, "server", CORES.0)
    }

    /// Starts one of several, on any core.
    pub(crate) fn start_beside(tools: &Tools, number: usize) -> Result<Self, String> {
        Self::start_on(tools, &format!("server-{number}"), &format!("{},{}", CORES.0, CORES.1))
    }

    fn start_on(tools: &Tools, name: &str, cores: &str) -> Result<Self, String> {
        let say = |what: &'static str| move |why: std::io::Error| format!("{what}: {why}");
        let files = folder().join(name);
        fs::create_dir_all(files.join("www")).map_err(say("creating the server's folder"))?;
        let page: String = (b'a'..=b'z').cycle().take(1_024).map(char::from).collect();
        fs::write(files.join("www/index.html"), page).map_err(say("writing a page"))?;
        fs::write(files.join("www/64k.bin"), vec![b'x'; 65_536]).map_err(say("writing a file"))?;
        certificate(&files)?;
        let [plain, tls, http2] = [port()?, port()?, port()?];
        fs::write(files.join("nginx.conf"), configuration(&files, plain, tls, http2))
            .map_err(say("writing nginx.conf"))?;
        let process = Command::new("taskset")
            .args(["-c", cores])
            .arg(tools.path("nginx")?)
            .arg("-p")
            .arg(&files)
            .arg("-c")
            .arg(files.join("nginx.conf"))
            .stderr(Stdio::null())
            .spawn()
            .map_err(say("starting nginx under taskset"))?;
        let server = Self { process, plain, tls, http2, files };
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.requests().is_err() {
            if Instant::now() > deadline {
                return Err(format!("nginx does not answer; see {}/error.log", server.files.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// How many requests it has counted, this one included.
    pub(crate) fn requests(&self) -> Result<u64, String> {
        let text = self.status()?;
        let after = text.split("requests").nth(1).unwrap_or("");
        let count = after.split_whitespace().nth(2).and_then(|word| word.parse().ok());
        count.ok_or_else(|| format!("nginx said {text}"))
    }

    /// How many connections are open, this one included.
    pub(crate) fn connections(&self) -> Result<u64, String> {
        let text = self.status()?;
        let after = text.split("Active connections:").nth(1).unwrap_or("");
        let count = after.split_whitespace().next().and_then(|word| word.parse().ok());
        count.ok_or_else(|| format!("nginx said {text}"))
    }

    fn status(&self) -> Result<String, String> {
        let say = |why: std::io::Error| format!("asking nginx for its counters: {why}");
        let mut stream = TcpStream::connect(("127.0.0.1", self.plain)).map_err(say)?;
        stream.write_all(b"GET /status HTTP/1.0\r\nHost: bench\r\n\r\n").map_err(say)?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map_err(say)?;
        Ok(text)
    }

    /// The worker process, which can be stopped and continued.
    pub(crate) fn worker(&self) -> Result<u32, String> {
        let id = self.process.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(&path).map_err(|why| format!("reading {path}: {why}"))?;
        children
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or("nginx has no worker".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(worker) = self.worker() {
            // One that was left stopped does not end.
            let _ = Command::new("kill").args(["-CONT", &worker.to_string()]).status();
        }
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn port() -> Result<u16, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map(|address| address.port()).map_err(|why| format!("finding a free port: {why}"))
}

fn certificate(files: &std::path::Path) -> Result<(), String> {
    if files.join("cert.pem").exists() {
        return Ok(());
    }
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
    ]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"]);
    command.arg(files.join("key.pem")).arg("-out").arg(files.join("cert.pem"));
    let status = command.stderr(Stdio::null()).status().map_err(|why| format!("starting openssl: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("openssl made no certificate: {status}")) }
}

fn configuration(files: &std::path::Path, plain: u16, tls: u16, http2: u16) -> String {
    let files = files.display();
    let secure = format!(
        "ssl_certificate {files}/cert.pem; ssl_certificate_key {files}/key.pem; ssl_protocols TLSv1.3; ssl_session_tickets off;"
    );
    let pages = "location = /first { add_header Set-Cookie \"session=0123456789abcdef; Path=/; HttpOnly\"; return 200 '<html><a href=/second>on</a></html>'; }
    location = /second { return 200 '<html><form></form></html>'; }
    location = /third { return 200 '<html>thanks</html>'; }
    location / { }";
    format!(
        "daemon off; worker_processes 1; pid {files}/nginx.pid; error_log {files}/error.log crit;
worker_rlimit_nofile 1048576;
events {{ worker_connections 40000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1d; root {files}/www; default_type text/html;
  client_body_temp_path {files}/body; proxy_temp_path {files}/proxy; fastcgi_temp_path {files}/fastcgi;
  uwsgi_temp_path {files}/uwsgi; scgi_temp_path {files}/scgi; open_file_cache max=100; reset_timedout_connection on;
  server {{ listen 0.0.0.0:{plain} backlog=4096;
    location = /status {{ stub_status; }}
    {pages} }}
  server {{ listen 127.0.0.1:{tls} ssl backlog=4096; {secure} {pages} }}
  server {{ listen 127.0.0.1:{http2} ssl http2 backlog=4096; {secure} {pages} }}
}}
"
    )
}
