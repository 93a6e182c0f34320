//! Where programs are looked for, and the same folders as `PATH` for the tests.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::install;
use crate::rights;

/// Where Debian puts servers; an ordinary user's `PATH` may lack these.
const SERVER_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where Debian puts PostgreSQL: a folder for each version, its programs in `bin`.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// Where Debian puts the modules of nginx.
const NGINX_MODULES: &str = "/usr/lib/nginx/modules";

/// The folders in which programs are looked for, in order.
pub(crate) struct Lookup {
    folders: Vec<PathBuf>,
}

impl Lookup {
    /// `PATH`, then the folders of servers, then what was installed below `target/`.
    pub(crate) fn new() -> Lookup {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path)
            .chain(SERVER_FOLDERS.map(PathBuf::from))
            .chain([install::python_folder().join("bin"), install::python_folder_apart().join("bin")])
            .chain([install::node_folder().join("node_modules/.bin")])
            .collect();
        Lookup { folders }
    }

    /// Whether an executable file of this name is in one of the folders or in one of PostgreSQL's, a module of nginx has
    /// it, or it is a right that this user has. Tests that want PostgreSQL's find them there themselves.
    pub(crate) fn has(&self, program: &str) -> bool {
        let is_in = |folder: &Path| is_executable(&folder.join(program));
        self.folders.iter().any(|folder| is_in(folder))
            || versions(Path::new(POSTGRESQL)).iter().any(|folder| is_in(&folder.join("bin")))
            || is_module(Path::new(NGINX_MODULES), program)
            || rights::has(program, &self.path())
    }

    /// The folders as a value for `PATH`. One whose name cannot stand there (it has a colon) is left out.
    pub(crate) fn path(&self) -> OsString {
        let usable =
            self.folders.iter().filter(|folder| !folder.as_os_str().as_encoded_bytes().contains(&b':'));
        std::env::join_paths(usable).unwrap_or_default()
    }
}

/// What is in a folder; nothing where there is none. Read anew each time, because packages are installed meanwhile.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Modules are loaded, not executed: they need no executable bit.
fn is_module(folder: &Path, name: &str) -> bool {
    name.ends_with(".so") && folder.join(name).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_executable_files_count_as_programs() {
        assert!(Lookup::new().has("sh"));
        assert!(!Lookup::new().has("no-such-program-here"));
        let sources = Lookup { folders: vec![crate::run::root().to_owned()] };
        assert!(!sources.has("clippy.toml"), "a file without the executable bit");
        assert!(!sources.has("xtask"), "a folder");
    }

    #[test]
    fn a_module_is_a_file_that_need_not_be_executable() {
        let folder = std::env::temp_dir().join(format!("doorbuster-xtask-modules-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["filter.so", "filter.conf"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let known = ["filter.so", "filter.conf", "static.so"].map(|name| is_module(&folder, name));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(known, [true, false, false]);
    }

    #[test]
    fn versions_are_the_folders_below() {
        let below = versions(crate::run::root());
        assert!(below.contains(&crate::run::root().join("xtask")));
        assert!(versions(Path::new("/no/such/folder")).is_empty());
    }

    #[test]
    fn a_folder_with_a_colon_does_not_spoil_the_path() {
        let lookup = Lookup { folders: vec!["/bin".into(), "/od:d".into(), "/usr/sbin".into()] };
        assert_eq!(lookup.path(), "/bin:/usr/sbin");
    }
}
