//! What an agent keeps: its key (mode 0600), its certificate, its authority's, and which assignments it has had.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;

/// How many assignments are remembered.
const ASSIGNMENTS_MAX: usize = 1_000;
/// The longest id of an assignment.
const ID_BYTES_MAX: usize = 200;

/// The folder. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct State {
    folder: PathBuf,
    /// The authority that the command line names.
    ca: Option<String>,
    /// Held as long as anybody has the folder: two agents with one key would be one agent.
    _lock: Arc<File>,
}

/// Whether an assignment is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is; from now on it is not.
    New,
    /// It came before.
    Before,
}

impl State {
    /// Opens the folder, and makes it where it is missing.
    pub(super) fn open(folder: Option<&Path>, ca: Option<&Path>) -> Result<Self, Error> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => usual_folder()?,
        };
        let shown = folder.display();
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|why| {
            Error::Join(format!("--state {shown}: {why}; choose a folder that can be written"))
        })?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("lock"));
        let lock = lock.map_err(|why| {
            Error::Join(format!("--state {shown}: {why}; choose a folder that can be written"))
        })?;
        lock.try_lock().map_err(|_| {
            Error::Join(format!(
                "--state {shown}: another agent uses it; give each agent a folder of its own"
            ))
        })?;
        let ca = match ca {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|why| {
                Error::Join(format!(
                    "--ca {}: {why}; copy ca.pem from the coordinator's pki folder",
                    path.display()
                ))
            })?),
            None => None,
        };
        Ok(Self { folder, ca, _lock: Arc::new(lock) })
    }

    /// The authority's certificate: the one that the command line names, otherwise the one that the agent enrolled with.
    pub(super) fn ca_pem(&self) -> Result<Option<String>, Error> {
        if self.ca.is_some() { Ok(self.ca.clone()) } else { self.read("ca.pem") }
    }

    /// The agent's key.
    pub(super) fn key_pem(&self) -> Result<Option<String>, Error> {
        self.read("key.pem")
    }

    /// Keeps a key.
    pub(super) fn keep_key(&self, pem: &str) -> Result<(), Error> {
        self.write("key.pem", pem)
    }

    /// The agent's certificate.
    pub(super) fn certificate_pem(&self) -> Result<Option<String>, Error> {
        self.read("certificate.pem")
    }

    /// Keeps a certificate, and that of the authority which gave it.
    pub(super) fn keep_certificate(&self, pem: &str, ca_pem: &str) -> Result<(), Error> {
        self.write("ca.pem", ca_pem)?;
        self.write("certificate.pem", pem)
    }

    /// Notes an assignment, before anything is done for it: on the disk when this returns.
    pub(super) fn note(&self, id: &str) -> Result<Seen, Error> {
        let is_plain = !id.is_empty() && id.len() <= ID_BYTES_MAX && !id.contains(char::is_control);
        if !is_plain {
            return Err(Error::Assignment("its id cannot be".to_owned()));
        }
        let text = self.read("assignments")?.unwrap_or_default();
        let mut ids: Vec<&str> = text.lines().collect();
        if ids.contains(&id) {
            return Ok(Seen::Before);
        }
        ids.push(id);
        let first = ids.len().saturating_sub(ASSIGNMENTS_MAX);
        let kept: String = ids[first..].iter().map(|id| format!("{id}\n")).collect();
        self.write("assignments", &kept)?;
        Ok(Seen::New)
    }

    fn read(&self, name: &str) -> Result<Option<String>, Error> {
        match std::fs::read_to_string(self.folder.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::System { what: "reading the agent's state", source }),
        }
    }

    /// Puts a file in the place of the one that there is: whole or not at all, on the disk, for its owner alone.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let replace = || -> io::Result<()> {
            let next = self.folder.join("next");
            match std::fs::remove_file(&next) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&next, self.folder.join(name))?;
            File::open(&self.folder)?.sync_all()
        };
        replace().map_err(|source| Error::System { what: "writing the agent's state", source })
    }
}

/// Where an agent keeps its state unless it is told: systemd's `StateDirectory=`, otherwise as the XDG specification says.
fn usual_folder() -> Result<PathBuf, Error> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("STATE_DIRECTORY") {
        return Ok(folder);
    }
    let states =
        variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    let states = states.ok_or_else(|| {
        Error::Join("there is no HOME to keep the agent's key in; name a folder with --state".to_owned())
    })?;
    Ok(states.join("doorbuster").join("agent"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A folder that goes with its test.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("doorbuster-join-{}-{count}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_assignment_is_new_once_also_after_a_restart() {
        let folder = Folder::new();
        let state = State::open(Some(&folder.0), None).unwrap();
        assert_eq!(state.note("r-1").unwrap(), Seen::New);
        assert_eq!(state.note("r-1").unwrap(), Seen::Before);
        drop(state);
        let state = State::open(Some(&folder.0), None).unwrap();
        assert_eq!(state.note("r-1").unwrap(), Seen::Before);
        for wrong in ["", "a\nb", &"x".repeat(201)] {
            assert!(state.note(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_thousand_are_remembered() {
        let folder = Folder::new();
        let state = State::open(Some(&folder.0), None).unwrap();
        let earlier: String = (0..1_000).map(|number| format!("r-{number}\n")).collect();
        std::fs::write(folder.0.join("assignments"), earlier).unwrap();
        assert_eq!(state.note("r-1000").unwrap(), Seen::New);
        assert_eq!(state.note("r-1").unwrap(), Seen::Before);
        assert_eq!(state.note("r-0").unwrap(), Seen::New, "it is forgotten");
    }

    #[test]
    fn the_key_is_for_its_owner_alone_and_the_folder_for_one_agent() {
        let folder = Folder::new();
        let state = State::open(Some(&folder.0.join("new")), None).unwrap();
        state.keep_key("secret").unwrap();
        let mode =
            |name: &str| folder.0.join("new").join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("key.pem"), mode("")), (0o600, 0o700));
        let refused = State::open(Some(&folder.0.join("new")), None).unwrap_err().to_string();
        assert!(refused.contains("another agent uses it"), "{refused}");
    }

    #[test]
    fn the_named_authority_goes_before_the_kept_one() {
        let folder = Folder::new();
        let state = State::open(Some(&folder.0), None).unwrap();
        assert_eq!(state.ca_pem().unwrap(), None);
        state.keep_certificate("mine", "kept").unwrap();
        assert_eq!(state.ca_pem().unwrap().as_deref(), Some("kept"));
        drop(state);
        let named = folder.0.join("named.pem");
        std::fs::write(&named, "named").unwrap();
        let state = State::open(Some(&folder.0), Some(&named)).unwrap();
        assert_eq!(state.ca_pem().unwrap().as_deref(), Some("named"));
        let missing = State::open(Some(&folder.0.join("other")), Some(&folder.0.join("no.pem")));
        assert!(missing.unwrap_err().to_string().contains("copy ca.pem"));
    }
}
