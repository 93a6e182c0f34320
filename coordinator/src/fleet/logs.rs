//! What a fleet's functions logged.
//!
//! Source: Amazon CloudWatch Logs API Reference, `FilterLogEvents`.

use serde_json::{Value, json};

use super::place::Place;
use super::trouble::failed;
use crate::Error;
use crate::aws::call;

/// The most lines of a region.
pub(crate) const LINES_MAX: usize = 10_000;
/// The most answers that are asked for: some hold nothing and say only that there is more.
const ANSWERS_MAX: usize = 500;

/// A line that a function logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When, in milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// In which region.
    pub region: String,
    /// Its text.
    pub text: String,
}

/// The lines of a region's function, `agent` or `probe`, since a time; and whether there are more than are told.
///
/// # Errors
/// AWS did not say. A function that is not there has said nothing.
pub(crate) async fn lines(place: &Place, function: &str, since_ms: i64) -> Result<(Vec<Line>, bool), Error> {
    let group = format!("/aws/lambda/{}-{function}", place.stack);
    let mut found = Vec::new();
    let mut token = Value::Null;
    for _ in 0..ANSWERS_MAX {
        let mut body = json!({ "logGroupName": group, "startTime": since_ms });
        if !token.is_null() {
            body["nextToken"] = token;
        }
        let target = "Logs_20140328.FilterLogEvents";
        let answer = call::call(&place.config, place.endpoint.as_deref(), "logs", target, &body);
        let answer = match Box::pin(answer).await {
            Ok(answer) => answer,
            Err(failure) if failure.why.contains("ResourceNotFoundException") => return Ok((found, false)),
            Err(failure) => return Err(failed(place, &format!("reading the log {group}"), &failure)),
        };
        found.extend(read(&answer, &place.region));
        token = answer["nextToken"].clone();
        if token.is_null() || found.len() >= LINES_MAX {
            break;
        }
    }
    found.truncate(LINES_MAX);
    Ok((found, !token.is_null()))
}

/// The lines of an answer.
fn read(answer: &Value, region: &str) -> Vec<Line> {
    let events = answer["events"].as_array().into_iter().flatten();
    events
        .filter_map(|event| {
            let text = event["message"].as_str()?.trim_end().to_owned();
            Some(Line { at_ms: event["timestamp"].as_i64()?, region: region.to_owned(), text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_without_their_ends() {
        let answer = json!({ "events": [
            { "timestamp": 1_795_737_600_000_i64, "message": "agent a: started\n", "logStreamName": "x" },
            { "timestamp": 1 },
        ] });
        let expected = Line {
            at_ms: 1_795_737_600_000,
            region: "eu-west-2".to_owned(),
            text: "agent a: started".to_owned(),
        };
        assert_eq!(read(&answer, "eu-west-2"), [expected]);
        assert!(read(&json!({}), "eu-west-2").is_empty());
    }
}
