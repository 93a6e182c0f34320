//! Where an exchange goes, taken apart once.

use std::cell::RefCell;
use std::rc::Rc;

use doorbuster_journeys::{Journey, Target};
use doorbuster_model::cdn::content;
use doorbuster_model::cdn::policy::Matched;
use url::{Position, Url};

use crate::client::Origin;
use crate::job::Job;

/// An address that may be loaded.
#[derive(Debug)]
pub(crate) struct Address {
    /// The whole of it.
    pub url: Url,
    /// What must be connected to.
    pub origin: Origin,
    /// Whether this is the target's own host, for which the plan's headers are.
    pub is_target: bool,
    /// The classes of content that its path matches.
    pub matched: Matched,
    /// What tells its content from others, however its query is written.
    pub content: u64,
}

impl Address {
    /// The address that `url` names.
    pub(crate) fn new(mut url: Url, job: &Job) -> Self {
        // What a link says before the host is for nobody else to see; neither fails for an http address.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let origin = Origin::of(&url);
        let is_downgrade = job.target.scheme() == "https" && !origin.secure;
        let is_target = url.host_str() == job.target.host_str() && !is_downgrade;
        let matched = job.plan.cdn.of_path(url.path());
        let content = content(&url[..Position::AfterPath], url.query().unwrap_or_default());
        Self { url, origin, is_target, matched, content }
    }

    /// What stands in the request line of HTTP/1.1.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// The URL without its fragment.
    pub(crate) fn whole(&self) -> &str {
        &self.url[..Position::AfterQuery]
    }

    /// The value of Host.
    pub(crate) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// What a request to `to` that comes from here says of it in Referer, by the policy that browsers have without
    /// being told another: `strict-origin-when-cross-origin`.
    pub(crate) fn referer(&self, to: &Self) -> Option<&str> {
        let is_downgrade = self.origin.secure && !to.origin.secure;
        shown_in_referer(&self.url, self.origin == to.origin, is_downgrade)
    }

    /// The origin as a request's Origin header names it.
    pub(crate) fn ascii_origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The address for messages: without its query, which may hold secrets.
    pub(crate) fn shown(&self) -> &str {
        &self.url[..Position::AfterPath]
    }
}

/// An address for messages that may be no address at all: without query and fragment, which may hold secrets.
pub(crate) fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// What of a page's address is shown: all of it within its origin, the origin to others, and nothing in the clear that was
/// not.
pub(crate) fn shown_in_referer(page: &Url, is_same_origin: bool, is_downgrade: bool) -> Option<&str> {
    if is_same_origin {
        return Some(&page[..Position::AfterQuery]);
    }
    // The origin and the slash that begins its path.
    (!is_downgrade).then(|| &page.as_str()[..=page[..Position::BeforePath].len()])
}

/// Where steps go, one worker's knowledge: targets that are the same in every walk are resolved once.
pub(crate) struct Addresses {
    home: Rc<Address>,
    /// By journey and step.
    known: RefCell<Vec<Vec<Option<Rc<Address>>>>>,
}

impl Addresses {
    /// Those of a job, none of them known yet.
    pub(crate) fn new(job: &Job) -> Self {
        let known = job.journeys.iter().map(|journey| vec![None; journey.steps().len()]).collect();
        Self { home: Rc::new(Address::new(job.target.clone(), job)), known: RefCell::new(known) }
    }

    /// Where a step of the journey at `position` goes from the page before, or from the target where there is none.
    /// The error says why it cannot go there.
    pub(crate) fn of_step(
        &self,
        job: &Job,
        position: usize,
        fetch: &doorbuster_journeys::Fetch,
        from: Option<&Rc<Address>>,
    ) -> Result<Rc<Address>, String> {
        let journey: &Journey = &job.journeys[position];
        let target = fetch.target(journey);
        let base = from.unwrap_or(&self.home);
        // A path leads to the same place from everywhere in its origin, so from wherever the walk begins.
        let is_path = target.starts_with('/') && !target.starts_with("//");
        let same = fetch.target == Target::Own && is_path && base.origin == self.home.origin;
        if !same {
            let own_base = fetch.base.as_ref().and_then(|own| base.url.join(own).ok());
            return resolve(job, target, own_base.as_ref().unwrap_or(&base.url));
        }
        let known = self.known.borrow()[position][fetch.step].clone();
        if let Some(address) = known {
            return Ok(address);
        }
        let address = resolve(job, target, &base.url)?;
        self.known.borrow_mut()[position][fetch.step] = Some(Rc::clone(&address));
        Ok(address)
    }
}

fn resolve(job: &Job, target: &str, base: &Url) -> Result<Rc<Address>, String> {
    let url = base.join(target);
    let url = url.map_err(|why| format!("\"{}\" is no address: {why}", without_query(target)))?;
    if job.may_go(&url) {
        return Ok(Rc::new(Address::new(url, job)));
    }
    let host = url.host_str().unwrap_or("");
    Err(format!("{host} is another host; name it with --allow-host to load it"))
}
