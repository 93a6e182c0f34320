//! Keeping a freshly installed package from starting its service.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::run;

/// What Debian's maintainer scripts call, by name, to start a service.
const STARTERS: [&str; 3] = ["invoke-rc.d", "deb-systemd-invoke", "service"];

/// A folder with do-nothing twins of the programs that start services, to stand first in dpkg's `PATH`.
///
/// A `policy-rc.d` would be the customary way, but it is one file for the whole system: it would have to
/// be put aside and back, and would block every later start if this process were killed in between.
/// `RUNLEVEL=1` is heeded by some init systems only. The folder goes when the value is dropped.
pub(crate) struct NoServices {
    folder: PathBuf,
}

impl NoServices {
    /// Writes the folder below `target/`.
    pub(crate) fn new() -> Result<NoServices, Failure> {
        let folder = run::root().join("target/xtask").join(format!("no-services-{}", std::process::id()));
        let made = NoServices { folder };
        let failed = |path: &PathBuf| {
            let path = path.clone();
            move |source| Failure::Write { path, source }
        };
        fs::create_dir_all(&made.folder).map_err(failed(&made.folder))?;
        for starter in STARTERS {
            let file = made.folder.join(starter);
            fs::write(&file, "#!/bin/sh\nexit 0\n").map_err(failed(&file))?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(failed(&file))?;
        }
        Ok(made)
    }

    /// The folder followed by dpkg's own default, as a value for apt's `DPkg::Path`.
    pub(crate) fn path(&self) -> String {
        format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.folder.display())
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        // What remains on failure lies below target/ and does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn starters_do_nothing_while_it_lives_and_are_gone_afterwards() {
        let none = NoServices::new().unwrap();
        let folder = none.folder.clone();
        let start = || {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "command -v invoke-rc.d && invoke-rc.d nginx start"]).env("PATH", none.path());
            shell.output().unwrap()
        };
        let output = start();
        assert!(output.status.success());
        let found = String::from_utf8(output.stdout).unwrap();
        assert_eq!(found.trim(), folder.join("invoke-rc.d").to_str().unwrap());
        drop(none);
        assert!(!folder.exists());
    }
}
