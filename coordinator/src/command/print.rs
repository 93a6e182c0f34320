//! What a command says on standard output.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::Error;

/// Whether colour is wanted there.
pub(super) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Writes a text there. A reader that has seen enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| Error::System { what: "writing to standard output", source }),
    }
}

/// Says something on standard error.
pub(super) fn warn(text: &str) {
    // Where standard error is closed, nobody is there to be warned.
    let _ = writeln!(std::io::stderr().lock(), "doorbuster: {text}");
}
