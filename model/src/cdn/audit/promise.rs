//! The promises: a name, words, and the judge that looks at all answers.

use super::super::policy::{Cached, ClassId};
use super::dossier::{Dossier, Judged};
use super::judge::{ages, bodies, copies, heads, pages, parts, private, site, transport};
use super::proof::{FIRST_PAGE, OBSERVED_CHARS_MAX, Proof, Ruling};
use super::script::Script;

/// A promise of an edge.
struct Promise {
    id: &'static str,
    title: &'static str,
    judge: for<'d, 'a> fn(&'d Dossier<'a>) -> Judged<'a>,
}

/// What must be there to prove anything by.
static FIRST: Promise = Promise { id: FIRST_PAGE, title: "the page is there", judge: pages::first };

/// Of what is to be kept.
static KEPT: [Promise; 16] = [
    Promise { id: "kept", title: "who asks again gets a copy", judge: copies::kept },
    Promise { id: "lifetime", title: "says its lifetime", judge: ages::lifetime },
    Promise { id: "age", title: "Age rises with time", judge: ages::age },
    Promise { id: "expires", title: "leaves the cache in time", judge: ages::expires },
    Promise { id: "revalidates", title: "what did not change is not resent", judge: copies::revalidates },
    Promise { id: "tracking", title: "tracking shares the copy", judge: copies::tracking },
    Promise { id: "unknown", title: "unknown parameters share the copy", judge: copies::unknown },
    Promise { id: "order", title: "any order shares the copy", judge: copies::order },
    Promise { id: "cookies", title: "cookies share the copy", judge: copies::cookies },
    Promise { id: "vary", title: "varies on encodings alone", judge: heads::vary },
    Promise { id: "sets-cookies", title: "sets no cookie", judge: heads::sets_cookies },
    Promise { id: "compressed", title: "text is compressed, once", judge: bodies::compressed },
    Promise { id: "savings", title: "compression saves enough", judge: bodies::savings },
    Promise { id: "encodings", title: "the same in br, gzip, plain", judge: bodies::encodings },
    Promise { id: "head", title: "HEAD says what GET says", judge: heads::head },
    Promise { id: "ranges", title: "parts can be had", judge: parts::ranges },
];

/// Of what nothing is promised of for how long it is kept.
static UNSAID: [Promise; 4] = [
    Promise { id: "sets-cookies", title: "sets no cookie", judge: heads::sets_cookies },
    Promise { id: "compressed", title: "text is compressed, once", judge: bodies::compressed },
    Promise { id: "savings", title: "compression saves enough", judge: bodies::savings },
    Promise { id: "encodings", title: "the same in br, gzip, plain", judge: bodies::encodings },
];

/// Of what belongs to one shopper.
static PRIVATE: [Promise; 3] = [
    Promise { id: "never-kept", title: "no cache keeps it", judge: private::never_kept },
    Promise { id: "differs", title: "each shopper gets a page apart", judge: private::differs },
    Promise { id: "says-so", title: "says that none may", judge: private::says_so },
];

/// Of the edge as a whole.
static EDGE: [Promise; 16] = [
    Promise { id: "near", title: "an edge of the region answers", judge: site::near },
    Promise { id: "shares-nothing", title: "shows nobody another's data", judge: private::shares_nothing },
    Promise { id: "errors", title: "errors are kept 10 s at most", judge: site::errors },
    Promise { id: "https", title: "plain HTTP leads to HTTPS", judge: site::https },
    Promise { id: "transport", title: "speaks HTTP/2 and TLS 1.3", judge: transport::current },
    Promise { id: "old-tls", title: "speaks neither TLS 1.0 nor 1.1", judge: transport::old_tls },
    Promise { id: "http3", title: "says whether it has HTTP/3", judge: transport::http3 },
    Promise { id: "bodies", title: "bodies can be read", judge: bodies::decodable },
    Promise { id: "challenges", title: "challenges nobody", judge: site::challenges },
    Promise { id: "words", title: "says what is known", judge: site::words },
    Promise { id: "classes", title: "every address has a class", judge: site::classes },
    Promise { id: "pages", title: "the other pages are there", judge: pages::others },
    Promise { id: "hosts", title: "all that pages need was asked", judge: pages::hosts },
    Promise { id: "limits", title: "there was room for all", judge: pages::limits },
    Promise { id: "walks", title: "the journey goes through", judge: site::walks },
    Promise { id: "answers", title: "every request is answered", judge: site::answers },
];

/// What was seen of every promise.
pub(super) fn prove(script: &Script) -> Vec<Proof> {
    let edge = Dossier::of_edge(script);
    let mut proofs: Vec<Proof> = FIRST.prove(&edge).into_iter().collect();
    if !edge.is_covered() {
        proofs.push(uncovered(&edge));
        return proofs;
    }
    for (class, id) in script.setting.policy.classes().iter().zip(0..) {
        let dossier = Dossier::of_class(script, ClassId(id), class);
        let promises: &[Promise] = match class.cached {
            Cached::Never => &PRIVATE,
            Cached::For(_) => &KEPT,
            Cached::Unsaid => &UNSAID,
        };
        // Of a class that nothing was found of, once is enough.
        let told = if dossier.is_empty() { 1 } else { promises.len() };
        proofs.extend(promises.iter().take(told).filter_map(|promise| promise.prove(&dossier)));
    }
    proofs.extend(EDGE.iter().filter_map(|promise| promise.prove(&edge)));
    proofs
}

/// Nobody declared anything, and nothing tells of the edge that the default policy is about.
fn uncovered(edge: &Dossier<'_>) -> Proof {
    let answers = edge.all().filter(|taken| taken.answer().is_some()).count();
    let observed = match answers {
        0 => "nothing answered".to_owned(),
        _ => format!("no sign of it in {answers} answers; say what is promised with --policy"),
    };
    let judged = Judged::info(observed, edge.all().find(|taken| taken.answer().is_some()));
    proof("", "provider", "CloudFront is in front", &judged)
}

impl Promise {
    /// What is said of it; `None` where there is nothing to say.
    fn prove(&self, dossier: &Dossier<'_>) -> Option<Proof> {
        let judged = (self.judge)(dossier);
        if judged.ruling == Ruling::NotApplicable && judged.observed.is_empty() {
            return None;
        }
        let class = dossier.class.map_or("", |class| class.name.as_str());
        Some(proof(class, self.id, self.title, &judged))
    }
}

fn proof(class: &str, id: &str, title: &str, judged: &Judged<'_>) -> Proof {
    let mut observed: String = judged.observed.chars().take(OBSERVED_CHARS_MAX).collect();
    if observed.len() < judged.observed.len() {
        observed.push('…');
    }
    Proof {
        class: class.to_owned(),
        promise: id.to_owned(),
        title: title.to_owned(),
        ruling: judged.ruling,
        observed,
        rule: judged.breach.map_or("", |breach| breach.id()).to_owned(),
        remedy: judged.breach.map_or("", |breach| breach.remedy()).to_owned(),
        evidence: judged.by.map(|taken| taken.evidence(&judged.note)),
    }
}
