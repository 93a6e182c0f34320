//! Which hosts a scenario may request.

use doorbuster_agent::Job;
use doorbuster_model::Plan;
use reqwest::Url;

use crate::meaning::without_query;

/// Whether a scenario may request `url`. Goose's client sends a plan's headers with every request, and they may be
/// secrets of the target's: so where there are any, nobody else is requested, allowed or not.
pub(crate) fn may_request(job: &Job, url: &Url) -> bool {
    job.may_go(url) && (!has_headers(&job.plan) || is_targets(&job.target, url))
}

/// Whether `text` is the URL of somebody who must not be requested. What is no URL leads nowhere.
pub(crate) fn is_stranger(job: &Job, text: &str) -> bool {
    // The target's URL ends with a slash, so what begins with it is the target's.
    !text.starts_with(job.target.as_str()) && Url::parse(text).is_ok_and(|url| !may_request(job, &url))
}

/// Why `url`, without its query, was not requested, and what to do.
pub(crate) fn refusal(job: &Job, url: &str) -> String {
    let shown = without_query(url);
    if Url::parse(url).is_ok_and(|url| job.may_go(&url)) {
        format!(
            "a scenario requested {shown}; nothing was sent there, because the plan's http: headers and basic_auth are for the target's host alone, and Goose's client sends them with every request: set them in the scenario instead"
        )
    } else {
        format!(
            "a scenario requested {shown}, a host that nobody allowed; nothing was sent there, and the agent stopped (--allow-host, if it is yours to load)"
        )
    }
}

/// Whether the plan has headers beside those that say who is asking.
fn has_headers(plan: &Plan) -> bool {
    plan.http.basic_auth.is_some() || !plan.http.headers.is_empty()
}

/// Whether `url` is of the target's host, on whichever port, and not in the clear where the target is not.
fn is_targets(target: &Url, url: &Url) -> bool {
    url.host_str() == target.host_str() && (url.scheme() == "https" || target.scheme() == "http")
}

#[cfg(test)]
mod tests {
    use doorbuster_model::Plan;
    use reqwest::Url;

    use super::{has_headers, is_targets};

    #[test]
    fn headers_are_for_the_target_s_host() {
        let is =
            |target: &str, url: &str| is_targets(&Url::parse(target).unwrap(), &Url::parse(url).unwrap());
        for url in ["https://shop.test/", "https://shop.test:8443/a?b"] {
            assert!(is("https://shop.test", url), "{url}");
            assert!(is("http://shop.test", url), "{url}");
        }
        assert!(is("http://shop.test", "http://shop.test:81/"));
        for url in
            ["http://shop.test/", "https://cdn.shop.test/", "https://shop.test.example/", "https://10.0.0.1/"]
        {
            assert!(!is("https://shop.test", url), "{url}");
        }
    }

    #[test]
    fn a_plan_has_headers_when_it_names_one() {
        let has = |http: &str| {
            let plan = format!(
                "name: a\ntarget: https://shop.test\njourneys: [browse]\nload: {{ shoppers: [{{ hold: 1, for: 1s }}] }}\n{http}"
            );
            has_headers(&Plan::read("plan.yaml", &plan).unwrap())
        };
        assert!(!has(""));
        assert!(!has("http: { user_agent: tests }\n"));
        assert!(has("http: { headers: { X-Staging: sesame } }\n"));
        assert!(has("http: { basic_auth: { user: shop, password: sesame } }\n"));
    }
}
