//! An answer as it was taken down: with its head read, its class, and the rules that it breaks.

use http::HeaderName;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};

use super::super::CacheStatus;
use super::super::encoding::Asked;
use super::super::evidence::Evidence;
use super::super::head::Head;
use super::super::judge::{Observed, Verb, judge};
use super::super::policy::ClassId;
use super::super::rules::{Rule, Rules};
use super::super::says::Says;
use super::answer::{Answer, Broken};
use super::ask::{Ask, Way};
use super::script::Setting;

/// What came of a request.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) ask: Ask,
    /// When it ended.
    pub(super) ended_ns: u64,
    pub(super) result: Result<Answer, Broken>,
    pub(super) head: Head,
    pub(super) class: ClassId,
    /// The rules that the answer breaks.
    pub(super) broken: Rules,
    /// Whether the policy is about it: it is declared, or the provider's headers are there.
    pub(super) is_covered: bool,
}

impl Taken {
    /// Takes down what came of `ask`. `known` is its class, where that is settled.
    pub(super) fn new(
        ask: Ask,
        ended_ns: u64,
        result: Result<Answer, Broken>,
        known: Option<ClassId>,
        setting: &Setting,
    ) -> Self {
        let policy = &setting.policy;
        let headers = result.as_ref().ok().map(|answer| &answer.headers);
        let lines = headers.into_iter().flatten();
        let head = Head::of(lines.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())));
        let kind = headers.and_then(|headers| headers.get(CONTENT_TYPE));
        let class = known
            .unwrap_or_else(|| policy.classify(ask.url.path(), kind.map_or(&[][..], |kind| kind.as_bytes())));
        let mut taken =
            Self { ask, ended_ns, result, head, class, broken: Rules::default(), is_covered: false };
        if let Some(observed) = taken.observed() {
            taken.broken = judge(policy, policy.edges_of(&setting.region), &observed);
            taken.is_covered = observed.is_of(policy);
        }
        // Whatever was promised, and by whom.
        let is_leak = taken.answer().is_some_and(|answer| answer.foreign_mark.is_some());
        taken.broken.add_if(is_leak, Rule::MarkerLeaked);
        taken
    }

    pub(super) fn way(&self) -> Way {
        self.ask.way
    }

    pub(super) fn answer(&self) -> Option<&Answer> {
        self.result.as_ref().ok()
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.status)
    }

    /// Whether it is what was asked for, and whole.
    pub(super) fn is_good(&self) -> bool {
        self.status() == Some(200)
    }

    /// Whether the shop answered, in whatever way: no firewall, and none that is overloaded or broken at the moment.
    pub(super) fn is_answered(&self) -> bool {
        let is_passing = |status: u16| matches!(status, 429 | 500 | 502..=504);
        self.status().is_some_and(|status| !is_passing(status)) && !self.head.says.any(Says::CHALLENGED)
    }

    /// Whether it came out of a cache, with or without asking the origin.
    pub(super) fn is_hit(&self) -> bool {
        self.head.is_hit()
    }

    /// Whether it came out of a cache without asking the origin.
    pub(super) fn is_fresh_hit(&self) -> bool {
        self.head.is_fresh_hit()
    }

    /// Whether it tells anything of a cache.
    pub(super) fn tells_of_a_cache(&self) -> bool {
        self.head.cache != CacheStatus::None || self.head.age_s().is_some()
    }

    /// A header of the answer, as far as it is text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.answer()?.headers.get(name)?.to_str().ok()
    }

    /// What the answer showed; `None` where there was none.
    pub(super) fn observed(&self) -> Option<Observed> {
        let answer = self.answer()?;
        let verb = match self.ask.method {
            http::Method::GET => Verb::Get,
            http::Method::HEAD => Verb::Head,
            _ => Verb::Other,
        };
        // What a walk asks for is the engine's own word: it takes what browsers take.
        let asked = self.ask.header(&ACCEPT_ENCODING).unwrap_or("br, gzip");
        Some(Observed {
            head: self.head,
            class: self.class,
            status: answer.status,
            verb,
            asked: Asked::of(asked),
            bytes_wire: answer.bytes_wire,
            bytes_decoded: answer.bytes_decoded,
            is_packed_inside: answer.is_packed_inside,
            has_failed: false,
        })
    }

    /// The proof of what is said of it.
    pub(super) fn evidence(&self, note: &str) -> Evidence {
        let asked = self.ask.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let (method, url) = (self.ask.method.as_str(), self.ask.shown());
        match &self.result {
            Ok(answer) => {
                let answered = answer.headers.iter();
                let answered = answered.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
                Evidence::new(method, url, answer.status, asked, answered, note)
            }
            Err(broken) => Evidence::new(method, url, 0, asked, [], &broken.message),
        }
    }
}
