//! A runtime for what talks to a store, from commands that have none.

use crate::Error;

/// Does the work to its end.
///
/// # Errors
/// The work's own, or that this machine gives no runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting a runtime", source })?;
    runtime.block_on(work)
}
