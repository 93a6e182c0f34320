//! The way to Amazon CloudWatch: whoever wants to write, read or make alarms there.

use aws_sdk_cloudwatch::Client;

use crate::aws;

/// A client for a region, or for what stands at `endpoint` in its place. `attempts` is how often a request is tried within
/// a call.
pub(crate) async fn client(region: &str, endpoint: Option<&str>, attempts: u32) -> Client {
    Client::new(&aws::config(region, endpoint, attempts).await)
}

/// The same with credentials that mean nothing, for what stands in for AWS.
#[cfg(test)]
pub(crate) async fn test_client(endpoint: &str) -> Client {
    Client::new(&aws::testing::config(endpoint).await)
}
