//! Starting servers and the binary.

pub(crate) mod agent;

use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_shop::{Options, Shop};
use serde_json::Value;

/// Tries a measurement up to three times: this machine may be shared and noisy, and noise comes and goes, while what
/// is wrong stays wrong. The last attempt's failure is the test's.
pub(crate) fn patiently(measure: impl Fn()) {
    for _ in 0..2 {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(&measure)).is_ok() {
            return;
        }
        eprintln!("once more, in case that was noise");
    }
    measure();
}

/// Tries a measurement as [`patiently`] does in which nothing is to be found: noise may spoil an attempt, but lets nobody
/// find what is not there. `measure` notes what it finds before it asks anything else, and what any attempt found counts.
pub(crate) fn patiently_without_findings(measure: impl Fn(&dyn Fn(String))) {
    let found = RefCell::new(Vec::new());
    patiently(|| measure(&|finding| found.borrow_mut().push(finding)));
    let found = found.into_inner();
    assert!(found.is_empty(), "{found:#?}");
}

/// Waits for this test's turn on the machine.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a need of this test is missing here; says so once.
pub(crate) fn without(need: &str) -> bool {
    let missing = std::env::var("DOORBUSTER_WITHOUT").unwrap_or_default().split(',').any(|name| name == need);
    if missing {
        eprintln!("left out: {need} is missing on this machine");
    }
    missing
}

/// A folder that is removed with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("doorbuster-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a finished run of the binary left.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The JSON report; null when none was written.
    pub(crate) report: Value,
    /// What the run's journeys left for audits.
    pub(crate) markers: Vec<Value>,
}

/// The binary under way.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) folder: Folder,
}

/// Starts the binary with a data folder of its own and with `--json` for the commands that run something, unless the
/// arguments say where.
pub(crate) fn start(arguments: &[&str]) -> Running {
    start_in(&[], arguments)
}

/// The same with these variables in its environment.
pub(crate) fn start_in(environment: &[(&str, &str)], arguments: &[&str]) -> Running {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorbuster"));
    command.args(arguments).envs(environment.iter().copied());
    let keeps = matches!(arguments.first(), Some(&("rehearse" | "hit" | "gate" | "audit")));
    for (option, name) in [("--data-dir", "data"), ("--json", "report.json")] {
        if keeps && !arguments.contains(&option) && !arguments.contains(&"--help") {
            command.arg(option).arg(folder.path(name));
        }
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    Running { child, folder }
}

impl Running {
    /// Waits for the end.
    pub(crate) fn finish(self) -> Finished {
        let Output { status, stdout, stderr } = self.child.wait_with_output().unwrap();
        let report = fs::read_to_string(self.folder.path("report.json")).unwrap_or_default();
        Finished {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            report: serde_json::from_str(&report).unwrap_or(Value::Null),
            markers: markers(&self.folder.path("data")),
        }
    }

    /// The agents of this run: its direct children, in the order of their launch. They are waited for until no more come: one
    /// is launched after the other.
    pub(crate) fn agents(&self) -> Vec<u32> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut before = Vec::new();
        loop {
            let agents = children(self.child.id());
            if !agents.is_empty() && agents == before || Instant::now() > deadline {
                return agents;
            }
            before = agents;
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The lines of the markers of the runs that are kept in a folder.
fn markers(data: &Path) -> Vec<Value> {
    let (mut found, mut folders) = (Vec::new(), vec![data.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("markers.ndjson") {
                let text = fs::read_to_string(path).unwrap();
                found.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            }
        }
    }
    found
}

/// The direct children of a process whose command line says `agent --stdio`.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let is_child = |process: &Process| process.parent == parent && process.command.contains("agent\0--stdio");
    let mut found: Vec<u32> = processes().into_iter().filter(is_child).map(|process| process.id).collect();
    found.sort_unstable();
    found
}

/// A process of this machine.
struct Process {
    id: u32,
    parent: u32,
    /// Its command line, with a NUL behind each word.
    command: String,
}

/// All of them.
fn processes() -> Vec<Process> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")?.parse().ok());
        let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        // Those that have ended meanwhile are none.
        found.extend(parent.map(|parent| Process { id, parent, command }));
    }
    found
}

/// Sends a signal, by its name, to a process that this test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Finished {
    start(arguments).finish()
}

/// The demo shop without round trips.
pub(crate) fn shop() -> Shop {
    Shop::start(Options { products: 48, ..Options::default() }).unwrap()
}

/// A plan's `regions` for the shop's edges.
pub(crate) fn regions(shop: &Shop) -> String {
    let region =
        |edge: &doorbuster_shop::Edge| format!("{}: {{ target: \"http://{}\" }}", edge.region, edge.address);
    format!("regions: {{ {} }}\n", shop.edges().iter().map(region).collect::<Vec<_>>().join(", "))
}

/// A server that hands every connection to `serve`, on a thread of its own.
pub(crate) fn server(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// A request's head; `None` at the end of the stream.
pub(crate) fn read_head_text(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// Reads a request's head; false at the end of the stream.
pub(crate) fn read_head(stream: &mut TcpStream) -> bool {
    read_head_text(stream).is_some()
}

/// A server that answers every request with the same bytes, on kept connections.
pub(crate) fn answering(answer: &'static [u8]) -> SocketAddr {
    server(move |mut stream| while read_head(&mut stream) && stream.write_all(answer).is_ok() {})
}

/// An authority, and a server's and a client's certificate by it.
pub(crate) fn certificates(folder: &Folder) {
    let openssl = |arguments: &str| {
        let arguments = arguments.replace("DIR", folder.path("").to_str().unwrap().trim_end_matches('/'));
        let done = Command::new("openssl").args(arguments.split(' ')).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout DIR/ca.key -out DIR/ca.pem -days 2 -subj /CN=authority"));
    for (name, more) in [
        ("server", "-addext subjectAltName=DNS:shop.test,IP:127.0.0.1"),
        ("client", "-addext basicConstraints=CA:FALSE"),
    ] {
        openssl(&format!(
            "req -new {key} -keyout DIR/{name}.key -out DIR/{name}.csr -subj /CN={name} {more}"
        ));
        openssl(&format!(
            "x509 -req -in DIR/{name}.csr -CA DIR/ca.pem -CAkey DIR/ca.key -CAcreateserial -days 2 -copy_extensions copy -out DIR/{name}.pem"
        ));
    }
}

/// An nginx of its own: configuration, logs and process end with it.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) folder: Folder,
    pub(crate) port: u16,
    /// A second port, where the configuration says `TLSPORT`.
    pub(crate) tls_port: u16,
}

impl Nginx {
    /// Its process, which serves by itself: without a master.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Starts nginx with `servers` inside `http { … }`; `PORT` and `FOLDER` in it are replaced.
    pub(crate) fn start(folder: Folder, servers: &str) -> Self {
        Self::start_with(folder, "", servers)
    }

    /// Starts nginx with `main` before everything else, such as the modules that it loads.
    pub(crate) fn start_with(folder: Folder, main: &str, servers: &str) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let [port, tls_port] = [free(), free()].map(|listener| listener.local_addr().unwrap().port());
        let root = folder.path("").display().to_string();
        let servers = servers
            .replace("TLSPORT", &tls_port.to_string())
            .replace("PORT", &port.to_string())
            .replace("FOLDER", root.trim_end_matches('/'));
        let conf = format!(
            "{main} daemon off; master_process off; pid {root}nginx.pid; error_log {root}error.log;\n\
             worker_rlimit_nofile 10000;\n\
             events {{ worker_connections 8000; }}\n\
             http {{ log_format counts '$request_method $uri $status'; access_log {root}access.log counts;\n\
             client_body_temp_path {root}body; proxy_temp_path {root}proxy; fastcgi_temp_path {root}fcgi;\n\
             uwsgi_temp_path {root}uwsgi; scgi_temp_path {root}scgi; keepalive_requests 100000;\n{servers}\n}}\n"
        );
        let conf = folder.write("nginx.conf", conf);
        let child = Command::new("nginx")
            .args(["-c", &conf, "-p", &root, "-e", &format!("{root}error.log")])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts: cargo xtask test installs it");
        let nginx = Self { child, folder, port, tls_port };
        nginx.wait();
        nginx
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.folder.path("error.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "nginx does not listen: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The lines of its access log, counted.
    pub(crate) fn log(&self) -> std::collections::BTreeMap<String, u64> {
        let mut counts = std::collections::BTreeMap::new();
        for line in fs::read_to_string(self.folder.path("access.log")).unwrap().lines() {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
        counts
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stand-in for AWS that ends with its owner.
pub(crate) struct MiniStack {
    child: Child,
    port: u16,
}

impl MiniStack {
    /// Starts one, and waits until it listens.
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("ministack")
            .envs([("BIND_HOST", "127.0.0.1"), ("MINISTACK_HOST", "127.0.0.1")])
            .env("GATEWAY_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ministack starts: cargo xtask test installs it");
        let stack = Self { child, port };
        let deadline = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "ministack does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        stack
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks a service in a region; `head` are lines of the request's head. Returns the whole answer.
    pub(crate) fn ask(
        &self,
        (region, service): (&str, &str),
        (method, path): (&str, &str),
        head: &[&str],
        body: &[u8],
    ) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let scope = format!("Credential=test/20260101/{region}/{service}/aws4_request");
        let head: String = head.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{head}Content-Length: {}\r\n\
             Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks a service that speaks in forms.
    pub(crate) fn query(&self, region: &str, service: &str, form: &str) -> String {
        let head = ["Content-Type: application/x-www-form-urlencoded"];
        self.ask((region, service), ("POST", "/"), &head, form.as_bytes())
    }

    /// The agents of its functions that work: processes somewhere below its own.
    pub(crate) fn agents(&self) -> Vec<u32> {
        let (all, mut family) = (processes(), vec![self.child.id()]);
        let mut position = 0;
        while let Some(parent) = family.get(position).copied() {
            family.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.id));
            position += 1;
        }
        let is_agent =
            |process: &&Process| process.command.ends_with("\0--stdio\0") && family.contains(&process.id);
        all.iter().filter(is_agent).map(|process| process.id).collect()
    }

    /// Every alarm that it knows, as the text of its answer.
    pub(crate) fn alarms(&self, region: &str) -> String {
        let form = "Action=DescribeAlarms&Version=2010-08-01&MaxRecords=100&AlarmTypes.member.1=MetricAlarm&AlarmTypes.member.2=CompositeAlarm";
        self.query(region, "monitoring", form)
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number of the report, by its path: `global.latency_ms.p99`.
pub(crate) fn number(report: &Value, path: &str) -> f64 {
    value(report, path).as_f64().unwrap_or_else(|| panic!("{path} is no number: {}", value(report, path)))
}

/// A count of the report, by its path.
pub(crate) fn count(report: &Value, path: &str) -> u64 {
    value(report, path).as_u64().unwrap_or_else(|| panic!("{path} is no count: {}", value(report, path)))
}

/// A value of the report, by its path.
pub(crate) fn value<'a>(report: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(report, |value, key| &value[key])
}

/// How many requests a shop saw.
pub(crate) fn requests(shop: &Shop) -> u64 {
    shop.counts().values().flat_map(|region| region.values()).sum()
}

/// Why a run is no pass.
pub(crate) fn kinds(report: &Value) -> Vec<&str> {
    report["reasons"].as_array().unwrap().iter().map(|reason| reason["kind"].as_str().unwrap()).collect()
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
