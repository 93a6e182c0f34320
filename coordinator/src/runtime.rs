//! A runtime for what is awaited, from commands that have none.

use crate::Error;

/// Does the work to its end, and waits for nothing that is left behind then.
///
/// # Errors
/// The work's own, or that this machine gives no runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| Error::System { what: "starting the coordinator's runtime", source })?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
