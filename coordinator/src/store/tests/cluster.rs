//! A PostgreSQL of the tests' own: made for them, reached through a socket in its folder, and gone with them.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, PgPool};

use super::{Folder, block_on};
use crate::store::Place;

/// Where Debian puts the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The cluster's user.
const USER: &str = "doorbuster";

/// A cluster with a server, which runs or is stopped.
pub(super) struct Cluster {
    server: Option<Child>,
    /// Who owns it, where this process is root: PostgreSQL refuses to run as root.
    owner: Option<(u32, u32)>,
    databases: Cell<u32>,
    folder: Folder,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    pub(super) fn start() -> Self {
        let folder = Folder::new();
        let owner = rustix::process::geteuid().is_root().then(unprivileged);
        if let Some((user, group)) = owner {
            chown(folder.path(""), Some(user), Some(group)).unwrap();
        }
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o700)).unwrap();
        let mut cluster = Self { server: None, owner, databases: Cell::new(0), folder };
        let made = cluster
            .command("initdb")
            .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "-D", "data"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.run();
        cluster
    }

    /// Starts the server, and waits until it listens.
    pub(super) fn run(&mut self) {
        let log = File::create(self.folder.path("log")).unwrap();
        let server = self
            .command("postgres")
            .args(["-D", "data", "-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(self.folder.path(""))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = self.server.insert(server);
        let deadline = Instant::now() + Duration::from_secs(30);
        while UnixStream::connect(self.folder.path(".s.PGSQL.5432")).is_err() {
            let log = fs::read_to_string(self.folder.path("log")).unwrap_or_default();
            assert_eq!(server.try_wait().unwrap(), None, "{log}");
            assert!(Instant::now() < deadline, "it does not listen: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops the server: whoever is connected is cut off.
    pub(super) fn stop(&mut self) {
        self.end("INT");
    }

    /// A database that nobody has used. Not within a runtime.
    pub(super) fn database(&self) -> Place {
        let name = format!("case_{}", self.databases.replace(self.databases.get() + 1));
        block_on(async {
            let pool = PgPool::connect(&self.address("postgres")).await.unwrap();
            let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
            sqlx::query(sql).execute(&pool).await.unwrap();
            pool.close().await;
        });
        Place::Postgres(self.address(&name))
    }

    fn address(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={USER}", self.folder.path("").display())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.current_dir(self.folder.path("")).env("LC_ALL", "C").stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut server) = self.server.take() {
            let pid = server.id().to_string();
            let _ = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
            let _ = server.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}

/// User and group of somebody who is not root.
fn unprivileged() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    of("postgres").or_else(|| of("nobody")).unwrap()
}

/// A program of the newest PostgreSQL that is here; Debian keeps them out of `PATH`.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    versions.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        std::cmp::Reverse(name.parse::<u32>().unwrap_or(0))
    });
    folders.extend(versions.iter().map(|version| version.join("bin")));
    let found = folders.iter().map(|folder| folder.join(name)).find(|path: &PathBuf| Path::is_file(path));
    found.unwrap_or_else(|| panic!("{name} is not here: cargo xtask test installs it"))
}
