//! What a metric of Goose's means as a sample of Doorbuster's.

use std::borrow::Cow;

use doorbuster_model::cdn::{Policy, Verb};
use doorbuster_model::sample::Times;
use doorbuster_model::{ErrorClass, Key, Sample};
use goose::goose::GooseMethod;
use goose::metrics::GooseRequestMetric;

/// A request that is over, as Goose tells it.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// Goose's own word.
    pub metric: GooseRequestMetric,
    /// When it was over.
    pub ended_ns: u64,
    /// Whether a scenario changed its mind on it (`set_failure`, `set_success`).
    pub judged: bool,
}

impl Answered {
    /// How long it took: from behind Goose's throttle to the answer's head, redirects included.
    pub(crate) fn took_ns(&self) -> u64 {
        self.metric.response_time_micros().saturating_mul(1_000)
    }

    /// When it began.
    pub(crate) fn began_ns(&self) -> u64 {
        self.ended_ns.saturating_sub(self.took_ns())
    }

    /// Whether `update` is about this request.
    pub(crate) fn is_meant_by(&self, update: &GooseRequestMetric) -> bool {
        self.metric.elapsed == update.elapsed
            && self.metric.response_time_micros() == update.response_time_micros()
            && self.metric.name == update.name
            && self.metric.raw.url == update.raw.url
    }

    /// The sample. Goose knows no phases: what it calls a response time is all of it, from the start to the answer's
    /// head, with the wait for a connection in it. Of headers it tells nothing, so its class is what its path says.
    pub(crate) fn sample(&self, key: Key, policy: &Policy) -> Sample {
        let error = self.error();
        let began_ns = self.began_ns();
        // A connection that was not had is the one failure that certainly sent nothing.
        let sent = error != Some(ErrorClass::Connect);
        let times = Times {
            intended_ns: began_ns,
            handled_ns: began_ns,
            sent_ns: sent.then_some(began_ns),
            first_byte_ns: self.status().map(|_| self.ended_ns),
            ended_ns: self.ended_ns,
        };
        let verb = match self.metric.raw.method {
            GooseMethod::Get => Verb::Get,
            GooseMethod::Head => Verb::Head,
            _ => Verb::Other,
        };
        let class = policy.classify(path_of(&self.metric.raw.url), b"");
        Sample { status: self.status(), error, verb, class, ..Sample::new(key, times) }
    }

    /// The answer's status. What scenarios record of other protocols has none.
    fn status(&self) -> Option<u16> {
        let is_http = self.metric.raw.method != GooseMethod::Custom;
        Some(self.metric.status_code).filter(|status| is_http && *status != 0)
    }

    /// Why it failed. A scenario's own word counts most; Goose itself takes every status but 2xx for a failure, unless
    /// the scenario expects another; of an answer that never came it keeps a sentence.
    pub(crate) fn error(&self) -> Option<ErrorClass> {
        if self.metric.success {
            None
        } else if self.judged || self.metric.raw.method == GooseMethod::Custom {
            Some(ErrorClass::Expectation)
        } else if self.metric.status_code != 0 {
            Some(ErrorClass::Status)
        } else {
            Some(class_of(&self.metric.error))
        }
    }

    /// What was attempted, on what, why it failed. Queries may hold secrets, so they are left out.
    pub(crate) fn message(&self) -> String {
        let raw = &self.metric.raw;
        format!("{} {}: {}", raw.method_label(), without_query(&raw.url), self.problem())
    }

    /// Goose's sentence, which holds the request's name: without one of its own that is the path with its query.
    fn problem(&self) -> Cow<'_, str> {
        let (name, problem) = (&*self.metric.name, &self.metric.error);
        let shown = without_query(name);
        if shown == name { Cow::Borrowed(problem) } else { Cow::Owned(problem.replace(name, shown)) }
    }
}

/// A URL or a path without query and fragment.
pub(crate) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The class of a sentence of reqwest's, which ends with what hyper says.
fn class_of(sentence: &str) -> ErrorClass {
    if sentence.ends_with("operation timed out") {
        ErrorClass::Timeout
    } else if sentence.ends_with("client error (Connect)") {
        // Names, TCP and TLS: Goose does not tell them apart.
        ErrorClass::Connect
    } else if sentence.starts_with("error sending request") {
        ErrorClass::Reset
    } else {
        ErrorClass::Protocol
    }
}

/// The path of a URL, without its query.
fn path_of(url: &str) -> &str {
    let behind_scheme = url.find("://").map_or(0, |position| position + 3);
    let path = url[behind_scheme..].find('/').map_or("/", |position| &url[behind_scheme + position..]);
    without_query(path)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use doorbuster_model::{ErrorClass, Key, Part};
    use goose::goose::{GooseMethod, TransactionName};
    use goose::metrics::{GooseRawRequest, GooseRequestMetric};

    use super::{Answered, Policy, class_of, path_of};

    /// What Goose tells of a `GET` of the path `/name` that took so long; 0 is the status of no answer.
    pub(crate) fn metric(name: &str, status: u16, took_ms: u64) -> GooseRequestMetric {
        let url = format!("http://127.0.0.1/{name}");
        GooseRequestMetric {
            elapsed: 3,
            scenario_index: 0,
            scenario_name: Arc::from("scenario"),
            transaction_index: 0,
            transaction_name: TransactionName::TransactionOnly(Arc::from("transaction")),
            raw: GooseRawRequest {
                method: GooseMethod::Get,
                url: url.clone(),
                headers: Vec::new(),
                body: String::new(),
                custom_method: String::new(),
            },
            name: Arc::from(name),
            final_url: url,
            redirected: false,
            response_time: took_ms,
            status_code: status,
            success: (200..300).contains(&status),
            update: false,
            user: 0,
            error: String::new(),
            coordinated_omission_elapsed: 0,
            user_cadence: 0,
            response_time_fraction_us: 0,
        }
    }

    fn answered(metric: GooseRequestMetric) -> Answered {
        Answered { metric, ended_ns: 50_000_000, judged: false }
    }

    #[test]
    fn an_answer_s_failure_has_a_class() {
        let answer = |status| answered(metric("home", status, 5));
        assert_eq!(answer(200).error(), None);
        assert_eq!(answer(404).error(), Some(ErrorClass::Status));
        let said = |what: &str| {
            let error = format!("error sending request home: {what}");
            answered(GooseRequestMetric { error, ..metric("home", 0, 5) }).error()
        };
        assert_eq!(said("operation timed out"), Some(ErrorClass::Timeout));
        assert_eq!(said("client error (Connect)"), Some(ErrorClass::Connect));
        // What the scenario says of it counts most.
        let failed = Answered {
            judged: true,
            ..answered(GooseRequestMetric { success: false, ..metric("home", 200, 5) })
        };
        assert_eq!(failed.error(), Some(ErrorClass::Expectation));
        let passed = Answered {
            judged: true,
            ..answered(GooseRequestMetric { success: true, ..metric("home", 404, 5) })
        };
        assert_eq!(passed.error(), None);
        let mut custom = metric("query", 0, 5);
        custom.raw.method = GooseMethod::Custom;
        assert_eq!(answered(custom).error(), Some(ErrorClass::Expectation));
    }

    #[test]
    fn a_sample_lasts_from_the_start_to_the_head_and_says_what_was_sent() {
        let key = Key { journey: 0, step: 0, part: Part::Main, section: 0 };
        let sample = answered(metric("home", 404, 5)).sample(key, &Policy::default());
        assert_eq!((sample.times.intended_ns, sample.times.ended_ns), (45_000_000, 50_000_000));
        assert_eq!((sample.times.first_byte_ns, sample.status), (Some(50_000_000), Some(404)));
        let error = "error sending request home: client error (Connect)".to_owned();
        let sample =
            answered(GooseRequestMetric { error, ..metric("home", 0, 5) }).sample(key, &Policy::default());
        assert_eq!((sample.times.sent_ns, sample.times.first_byte_ns, sample.status), (None, None, None));
    }

    #[test]
    fn messages_show_no_query() {
        let said = |name: &str, error: &str| {
            answered(GooseRequestMetric { error: error.to_owned(), ..metric(name, 404, 5) }).message()
        };
        for error in [
            "404 Not Found: reset?token=SEKRET#now",
            "error sending request reset?token=SEKRET#now: client error (Connect)",
        ] {
            let message = said("reset?token=SEKRET#now", error);
            assert!(
                !message.contains("SEKRET") && message.starts_with("GET http://127.0.0.1/reset: "),
                "{message}"
            );
        }
        assert_eq!(said("home", "404 Not Found: home"), "GET http://127.0.0.1/home: 404 Not Found: home");
    }

    #[test]
    fn a_path_has_no_host_and_no_query() {
        for (url, path) in [
            ("http://127.0.0.1:8091/", "/"),
            ("http://127.0.0.1:8091", "/"),
            ("https://shop.example.com/cart/7?a=/b#c", "/cart/7"),
            ("a custom request", "/"),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }

    #[test]
    fn reqwest_s_sentences_have_classes() {
        for (sentence, class) in [
            ("error sending request home: operation timed out", ErrorClass::Timeout),
            ("error sending request home: client error (Connect)", ErrorClass::Connect),
            ("error sending request home: client error (SendRequest)", ErrorClass::Reset),
            ("error following redirect home: too many redirects", ErrorClass::Protocol),
        ] {
            assert_eq!(class_of(sentence), class, "{sentence}");
        }
    }
}
