//! What Goose cannot do or show is refused before anything is sent, rather than done or shown wrong.

use doorbuster_agent::{Error, Job};
use doorbuster_model::plan::{Connections, HttpVersion, Model};
use doorbuster_model::threshold::{Metric, Span};

/// Refuses a job that Goose cannot carry out as it stands.
pub(crate) fn check(job: &Job) -> Result<(), Error> {
    match refusal(job) {
        Some(why) => Err(Error::Assignment(why)),
        None => Ok(()),
    }
}

fn refusal(job: &Job) -> Option<String> {
    let plan = &job.plan;
    if !job.is_load() {
        return Some("Goose's scenarios cannot be walked through one by one: run the plan".to_owned());
    }
    if plan.load.model != Model::Closed {
        return Some("Goose's engine knows only the closed model: use load: shoppers".to_owned());
    }
    if plan.load.connections != Connections::Keep {
        return Some("Goose's users keep their connections: leave load: connections out".to_owned());
    }
    if plan.http.version == HttpVersion::Http2 {
        return Some("Goose's client speaks HTTP/1.1 alone: leave http: version out".to_owned());
    }
    if plan.http.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
        return Some(
            "a Cookie among http: headers would take the place of the cookies that Goose's users are given: set it in a scenario"
                .to_owned(),
        );
    }
    let rules = plan.thresholds.iter().chain(&plan.abort_when);
    let unseen = rules.map(|(_, rule)| rule).find(|rule| !is_seen(rule.metric))?;
    Some(format!("\"{unseen}\" is about something that Goose does not show: leave it out"))
}

/// Whether Goose's metrics tell it: they end at the answer's head, and know neither its headers nor its body, nor what
/// came before it was sent.
fn is_seen(metric: Metric) -> bool {
    match metric {
        Metric::Quantile(span, _) | Metric::Max(span) | Metric::Mean(span) => {
            matches!(span, Span::Latency | Span::Service | Span::FirstByte)
        }
        Metric::Errors | Metric::BusinessFailures | Metric::Requests => true,
        Metric::HitRatio | Metric::Savings | Metric::Bytes => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_seen;
    use doorbuster_model::Threshold;

    #[test]
    fn only_what_goose_shows_can_be_a_threshold() {
        let seen = |rule: &str| is_seen(Threshold::parse(rule).unwrap().metric);
        for rule in
            ["p95 < 1s", "first_byte_p99 < 1s", "errors < 1%", "requests > 5/s", "business_failures < 1%"]
        {
            assert!(seen(rule), "{rule}");
        }
        for rule in ["queue_p95 < 1s", "page_max < 1s", "hit_ratio > 5%", "bytes < 1KB", "savings > 1%"] {
            assert!(!seen(rule), "{rule}");
        }
    }
}
