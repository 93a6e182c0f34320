use std::sync::Arc;

use doorbuster_journeys::{Run, Shopper};
use doorbuster_model::assignment::Secrets;
use doorbuster_model::cdn::Head;
use doorbuster_model::sample::Times;
use doorbuster_model::{Assignment, Key, Overrides, Part, Segment, Task};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::*;

/// London's job of a plan with one journey and this section.
fn job(journey: &str, cdn: &str) -> Job {
    let plan = format!(
        "name: t\ntarget: \"http://127.0.0.1:1\"\nregions: [london]\njourneys: [{journey}]\nload: {{ arrivals: [{{ hold: 1/s, for: 1s }}] }}\n{cdn}\n"
    );
    let assignment = Assignment {
        id: "one".to_owned(),
        run: "friday-7".to_owned(),
        region: "london".to_owned(),
        segment: Segment::whole(),
        agents_here: 0,
        plan,
        overrides: Overrides::default(),
        files: Arc::default(),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Load,
        generation: None,
        not_after_unix_ms: 0,
    };
    Job::read(&assignment).unwrap()
}

const DECLARED: &str = "cdn: { edges: { london: [LHR] } }";

/// What a worker knows of how the contract is kept, and what it is held to.
struct Worker {
    job: Job,
    contract: Contract,
    /// The shopper whose requests are answered.
    shopper: u64,
    /// The status of the next answer.
    status: u16,
    /// When it comes.
    now_ns: u64,
    /// How much of the last answer there was no room to remember.
    not_watched: u64,
}

impl Worker {
    fn new(journey: &str, cdn: &str) -> Self {
        let job = job(journey, cdn);
        let contract = Contract::new(&job, Marks::of(&job.run));
        Self { job, contract, shopper: 1, status: 200, now_ns: 0, not_watched: 0 }
    }

    fn address(&self, target: &str) -> Address {
        Address::new(Url::parse(&format!("http://127.0.0.1:1{target}")).unwrap(), &self.job)
    }

    /// Judges the answer to a GET; what it breaks, and its sample.
    fn judge(&mut self, target: &str, lines: &str, renewal: Option<bool>) -> (Vec<&'static str>, Sample) {
        self.judge_with("", target, lines, renewal)
    }

    /// The same of one that was sent with cookies.
    fn judge_with(
        &mut self,
        cookies: &str,
        target: &str,
        lines: &str,
        renewal: Option<bool>,
    ) -> (Vec<&'static str>, Sample) {
        let address = self.address(target);
        let headers: Vec<(&str, &str)> = lines.split('|').filter_map(|line| line.split_once(": ")).collect();
        let kind = headers.iter().find(|(name, _)| *name == "Content-Type").map_or("", |(_, kind)| *kind);
        let policy = &self.job.plan.cdn;
        let key = Key { journey: 0, step: 0, part: Part::Main, section: 0 };
        let mut sample = Sample {
            status: Some(self.status),
            head: Head::of(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))),
            class: policy.choose(address.matched, policy.of_type(kind.as_bytes())),
            ..Sample::new(key, Times::default())
        };
        let mut answered = HeaderMap::new();
        for (name, value) in &headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            answered.append(name, HeaderValue::from_str(value).unwrap());
        }
        let cookies = || cookies.as_bytes().to_vec();
        let request = Request {
            shopper: self.shopper,
            now_ns: self.now_ns,
            address: &address,
            asked: self.job.asked,
            cookies: &cookies,
            renewal,
            lines: HeadLines::Http2(&answered),
        };
        let judged = self.contract.judge(&self.job, &request, &mut sample);
        self.not_watched = judged.not_watched;
        (judged.broken.iter().map(Rule::id).collect(), sample)
    }
}

const MISS: &str =
    "Content-Type: text/html|Cache-Control: max-age=300|X-Cache: Miss from cloudfront|X-Amz-Cf-Pop: LHR50-P1";

#[test]
fn a_right_answer_breaks_nothing_and_a_wrong_one_its_rules() {
    let mut worker = Worker::new("browse", DECLARED);
    assert_eq!(worker.judge("/", MISS, None).0, [""; 0]);
    assert_eq!(worker.judge("/cart", "X-Cache: Hit from cloudfront", None).0, ["private-hit"]);
    let far = MISS.replace("LHR50", "SYD4").replace("max-age=300", "max-age=5");
    assert_eq!(worker.judge("/", &far, None).0, ["lifetime-differs", "other-region"]);
    assert_eq!(worker.judge("/", "Content-Encoding: zstd", None).0, ["encoding-not-asked"]);
}

#[test]
fn without_a_policy_only_the_provider_s_answers_are_judged() {
    let mut worker = Worker::new("browse", "");
    assert_eq!(worker.judge("/cart", "X-Cache: HIT", None).0, [""; 0]);
    assert_eq!(worker.contract.front(), Layer::Origin, "nobody has said that there is an edge");
    assert_eq!(worker.judge("/cart", "X-Cache: Hit from cloudfront", None).0, ["private-hit"]);
    assert_eq!(worker.contract.front(), Layer::Edge);
    assert_eq!(Worker::new("browse", DECLARED).contract.front(), Layer::Edge);
}

#[test]
fn the_first_miss_of_a_content_fills_the_cache() {
    let mut worker = Worker::new("browse", DECLARED);
    let mut is_first = |target: &str, lines: &str| worker.judge(target, lines, None).1.is_first_miss;
    assert!(is_first("/p/1", MISS) && !is_first("/p/1", MISS) && is_first("/p/2", MISS));
    assert!(!is_first("/p/3", &MISS.replace("Miss", "Hit")), "a hit is no miss");
    assert!(!is_first("/p/3", MISS), "it was there before, and is gone: somebody purged it");
    assert!(!is_first("/cart", MISS), "what is never kept fills nothing");
}

#[test]
fn a_hit_that_only_its_age_tells_is_one() {
    let mut worker = Worker::new("browse", DECLARED);
    let aged = MISS.replace("X-Cache: Miss from cloudfront", "Age: 7");
    let session = "Set-Cookie: sid=0123456789abcdef";
    assert_eq!(worker.judge("/p/4", &format!("{aged}|{session}"), None).0, ["cookie-on-cacheable"]);
    worker.shopper = 2;
    let again = worker.judge("/p/4", &format!("{aged}|{session}"), None).0;
    assert_eq!(again, ["cookie-from-cache", "cookie-on-cacheable"]);
    assert!(!worker.judge("/p/4", MISS, None).1.is_first_miss, "it was there before");
}

#[test]
fn another_way_of_writing_an_address_is_no_first_look_at_it() {
    let mut worker = Worker::new("browse", DECLARED);
    let mut is_first = |target: &str| worker.judge(target, MISS, None).1.is_first_miss;
    let visitors = (0..1_000).filter(|visitor| is_first(&format!("/p/2?gclid={visitor}"))).count();
    assert_eq!(visitors, 1, "a thousand visitors look at one page");
    assert!(is_first("/search?q=tent&page=2") && !is_first("/search?page=2&q=tent"));
    assert!(is_first("/search?q=lamp&page=2"));
}

#[test]
fn what_is_missed_in_many_ways_is_fragmented() {
    let hit = MISS.replace("Miss", "Hit");
    for is_kept in [true, false] {
        let mut worker = Worker::new("browse", DECLARED);
        let mut broken = |target: &str, lines: &str| worker.judge(target, lines, None).0;
        for query in ["a=1&b=2&c=3", "b=2&a=1&c=3"] {
            assert_eq!(broken(&format!("/search?{query}"), MISS), [""; 0]);
        }
        let again = if is_kept { hit.as_str() } else { MISS };
        assert_eq!(broken("/search?a=1&b=2&c=3", again), [""; 0]);
        let expected: &[&str] = if is_kept { &["fragmented"] } else { &[] };
        assert_eq!(
            broken("/search?c=3&b=2&a=1", MISS),
            expected,
            "what is kept in no way is not kept in many"
        );
        for query in ["utm_source=a", "utm_source=b", "utm_source=c", "utm_source=d"] {
            assert_eq!(
                broken(&format!("/cart?{query}"), MISS),
                [""; 0],
                "what is never kept is not kept twice"
            );
        }
    }
}

#[test]
fn what_is_missed_with_every_cookie_is_fragmented() {
    let hit = MISS.replace("Miss", "Hit");
    for is_keyed in [true, false] {
        let mut worker = Worker::new("browse", DECLARED);
        let mut found = 0;
        for shopper in 0..6 {
            let cookies = format!("sid={shopper}");
            found += worker.judge_with(&cookies, "/p/1", MISS, None).0.len();
            // The next shopper has none yet, or one that nobody has seen.
            let next = if is_keyed { String::new() } else { format!("sid={}", shopper + 100) };
            found += worker.judge_with(&next, "/p/1", &hit, None).0.len();
        }
        assert_eq!(found, usize::from(is_keyed));
    }
}

#[test]
fn an_error_that_does_nothing_but_hit_is_kept_for_too_long() {
    let mut worker = Worker::new("browse", DECLARED);
    let mut broken = |status: u16, second: u64, cache: &str| {
        (worker.status, worker.now_ns) = (status, second * 1_000_000_000);
        worker.judge("/gone", &format!("X-Cache-Status: {cache}"), None).0
    };
    for status in [404, 503] {
        assert_eq!(broken(status, 0, "MISS"), [""; 0]);
        assert_eq!(broken(status, 1, "HIT"), [""; 0], "a hit by itself is right");
        assert_eq!(broken(status, 6, "EXPIRED"), [""; 0]);
        assert_eq!(broken(status, 7, "HIT"), [""; 0]);
        // However many workers share the edge.
        assert_eq!(broken(status, 1_000_000, "HIT"), ["error-cached"]);
        assert_eq!(broken(status, 1_000_001, "EXPIRED"), [""; 0]);
        assert_eq!(broken(status, 1_000_002, "HIT"), [""; 0]);
    }
    assert_eq!(broken(200, 2_000_000, "HIT"), [""; 0], "no error");
}

#[test]
fn stale_answers_are_right_where_the_origin_failed() {
    let mut worker = Worker::new("browse", DECLARED);
    let stale = MISS.replace("Miss", "Hit").replace("max-age=300", "max-age=300, stale-if-error=86400");
    let stale = format!("{stale}|Age: 3000");
    assert_eq!(worker.judge("/", &stale, None).0, ["age-past-lifetime"]);
    worker.status = 502;
    assert_eq!(worker.judge("/cart", "X-Cache: Error from cloudfront", None).0, [""; 0]);
    worker.status = 200;
    assert_eq!(worker.judge("/", &stale, None).0, [""; 0]);
}

#[test]
fn a_cookie_out_of_a_cache_is_critical_once_two_shoppers_have_it() {
    let mut worker = Worker::new("browse", DECLARED);
    let hit = MISS.replace("Miss", "Hit");
    let mut broken = |shopper: u64, cookie: &str| {
        worker.shopper = shopper;
        worker.judge("/", &format!("{hit}|Set-Cookie: {cookie}; Path=/"), None).0
    };
    for shopper in 1..9 {
        let own = format!("visit={shopper:016}");
        assert_eq!(broken(shopper, &own), ["cookie-on-cacheable"], "one of its own for each");
        assert_eq!(broken(shopper, "country=DE"), ["cookie-on-cacheable"], "a word is no session");
    }
    let session = "sid=0123456789abcdef";
    assert_eq!(broken(1, session), ["cookie-on-cacheable"]);
    assert_eq!(broken(1, session), ["cookie-on-cacheable"], "the same shopper again");
    assert_eq!(broken(2, session), ["cookie-from-cache", "cookie-on-cacheable"]);
}

#[test]
fn what_there_is_no_room_to_remember_is_counted() {
    let mut worker = Worker::new("browse", DECLARED);
    let hit = MISS.replace("Miss", "Hit");
    let not_watched: u64 = (0..1_000)
        .map(|visit| {
            worker.judge("/", &format!("{hit}|Set-Cookie: visit={visit:016}"), None);
            worker.not_watched
        })
        .sum();
    assert_eq!(not_watched, 1_000 - 256);
}

#[test]
fn who_is_sent_to_another_target_was_moved() {
    let mut worker = Worker::new("browse", DECLARED);
    let bound = |target: &str| format!("{MISS}|Set-Cookie: AWSALB={target}; Path=/");
    assert_eq!(worker.judge("/", &bound("one"), None).0, [""; 0]);
    assert_eq!(worker.judge("/", &bound("two"), None).0, [""; 0], "another shopper");
    assert_eq!(worker.judge("/", &bound("two"), Some(false)).0, [""; 0]);
    for target in ["one", "two", "one"] {
        assert_eq!(worker.judge("/", &bound(target), Some(true)).0, ["session-moved"], "each time");
    }
    assert_eq!(worker.judge("/", &bound("three"), Some(true)).0, [""; 0], "nobody knows what that is");
    let hit = bound("one").replace("Miss", "Hit");
    assert_eq!(worker.judge("/", &hit, Some(true)).0, ["sticky-from-cache"], "said to somebody else");
}

#[test]
fn bodies_are_looked_through_where_somebody_planted_something() {
    let mut browse = Worker::new("browse", DECLARED);
    assert!(browse.contract.marks().is_none() && browse.contract.search(true, false, 1).is_none());
    let mut checkout = Worker::new("checkout", DECLARED);
    assert!((0..20).all(|_| checkout.contract.search(true, false, 1).is_some()), "all that is private");
    // A journey of eight pages: each of them has its turn.
    let mut searched = [0; 8];
    for page in 0..8_000 {
        searched[page % 8] += usize::from(checkout.contract.search(false, true, 1).is_some());
    }
    assert!(searched.iter().all(|times| (60..=190).contains(times)), "{searched:?}");
    assert!((850..=1_150).contains(&searched.iter().sum::<usize>()), "{searched:?}");
    assert!(checkout.contract.search(false, false, 1).is_none());
}

#[test]
fn shoppers_enter_what_is_looked_for() {
    let marks = Marks::of("friday-7");
    let run = Run { id: "friday-7".into(), mark: marks.prefix().into() };
    let shopper = Shopper { number: 17, run: run.into() };
    assert_eq!(shopper.mark(), marks.of_shopper(17));
}

#[test]
fn what_tells_no_type_is_not_unclassified() {
    let mut worker = Worker::new("browse", DECLARED);
    let (_, sample) = worker.judge("/feed", "Content-Type: application/xml", None);
    for (status, is) in [(200, true), (404, true), (204, false), (304, false), (302, false)] {
        assert_eq!(is_unclassified(&Sample { status: Some(status), ..sample.clone() }), is, "{status}");
    }
    assert!(!is_unclassified(&worker.judge("/", MISS, None).1));
}
