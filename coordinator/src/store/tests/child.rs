//! A test of this binary as a process of its own: one that is killed, or that may write no further.

use std::process::{Child, Command, Stdio};

use crate::store::Place;

/// Says to the child where its store is.
const STORE: &str = "DOORBUSTER_TEST_STORE";

/// Starts a test by its whole name.
pub(super) fn start(test: &str, place: &Place) -> Child {
    let address = match place {
        Place::Sqlite(path) => format!("sqlite:{}", path.display()),
        Place::Postgres(address) => address.clone(),
    };
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(STORE, address)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The whole name of a test in the module that `module_path!` names.
pub(super) fn name(module: &str, test: &str) -> String {
    let (_, module) = module.split_once("::").unwrap();
    format!("{module}::{test}")
}

/// The child's store; `None` when this is no child, but somebody who runs every ignored test.
pub(super) fn place() -> Option<Place> {
    let address = std::env::var(STORE).ok()?;
    Some(Place::of(Some(&address), "".as_ref()).unwrap())
}
