//! The credentials that requests to AWS are signed with.

use super::secret::{Environment, Secret};

/// An access key.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Secret,
    /// Of credentials that expire.
    pub(super) session_token: Option<Secret>,
}

/// The credentials of the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where there is one,
/// `AWS_SESSION_TOKEN`. Looked up for each letter, and asynchronously, because other sources renew theirs.
///
/// # Errors
/// Which variable is missing.
pub(super) async fn credentials(environment: &Environment) -> Result<Credentials, String> {
    Ok(Credentials {
        access_key_id: environment.secret("AWS_ACCESS_KEY_ID")?.reveal().to_owned(),
        secret_access_key: environment.secret("AWS_SECRET_ACCESS_KEY")?,
        session_token: environment.secret("AWS_SESSION_TOKEN").ok(),
    })
}
