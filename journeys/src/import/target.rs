//! Where a step goes: along a link, to an address that an answer told, or to a path of its own.

use url::{Url, form_urlencoded};

use super::archive::{Content, Entry};
use super::draft::{Extract, Pinned};
use super::looks::{Looks, looks};
use super::name::{singular, words};
use super::page::{Tag, base, look};
use super::script::Script;
use super::selector::{Link, address, of_link};
use super::source;
use super::yaml::Yaml;

/// How many answers before are searched for a link, or for the address as a whole.
const LOOK_BACK: usize = 10;
/// How many of several links to the same address are tried.
const LINKS_MAX: usize = 4;
/// The longest name made from a path, in characters.
const NAME_CHARS_MAX: usize = 40;
/// Classes and ids that say how a link looks, not where it leads.
const LOOKS_ONLY: &[&str] =
    &["a", "btn", "button", "card", "image", "img", "item", "link", "menu", "nav", "tile", "title"];

/// Where a step goes.
pub(super) struct Aim {
    pub(super) target: String,
    /// Fields of the query that hold variables, and all those beside them.
    pub(super) query: Vec<(String, Yaml)>,
}

impl Script<'_> {
    /// Where the visit `step` goes.
    pub(super) fn aim(&mut self, step: usize) -> Aim {
        let request = self.visit(step).request;
        if request.method == "GET" {
            let link = self.followed_link(step).or_else(|| self.told_address(step));
            if let Some(name) = link.or_else(|| self.held_address(step)) {
                return Aim { target: format!("${{{name}}}"), query: Vec::new() };
            }
        }
        let mut target = String::new();
        // A path that begins with two slashes would be a host.
        if !self.is_at_home(step) || request.url.path().starts_with("//") {
            let origin = request.url.origin().ascii_serialization();
            target.push_str(&origin);
            self.elsewhere.insert(origin);
        }
        let mut before = String::new();
        for segment in request.url.path().split('/').skip(1) {
            let value = decoded(segment);
            target.push('/');
            match self.resolve(step, &before, &value) {
                Some(name) => target.push_str(&format!("${{{name}}}")),
                None => target.push_str(&self.literal(segment)),
            }
            before = singular(&value);
        }
        let pairs: Vec<(String, String)> =
            request.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let filled: Vec<Option<String>> =
            pairs.iter().map(|(name, value)| self.resolve(step, name, value)).collect();
        if filled.iter().any(Option::is_some) {
            let values = pairs.iter().zip(filled).map(|((name, value), filled)| {
                let text = filled.map_or_else(|| self.literal(value), |name| format!("${{{name}}}"));
                (self.literal(name), Yaml::loose(text))
            });
            return Aim { target, query: super::send::grouped(values) };
        }
        if let Some(query) = request.url.query().filter(|query| !query.is_empty()) {
            target.push('?');
            target.push_str(&self.literal(query));
        }
        Aim { target, query: Vec::new() }
    }

    /// Whether a path leads to the visit's host: it belongs to the answer before.
    fn is_at_home(&self, step: usize) -> bool {
        let own = self.visit(step).request.url.origin();
        match step.checked_sub(1) {
            Some(before) => self.visit(before).answer.url.origin() == own,
            None => *self.home == own,
        }
    }

    /// Whether what a page or an answer wrote leads to the same place from where the walk is then.
    fn leads_there(&self, written: &str, from: usize, step: usize) -> bool {
        let lower = written.trim().to_ascii_lowercase();
        let is_absolute = lower.starts_with("http://") || lower.starts_with("https://");
        let is_path = lower.starts_with('/') && !lower.starts_with("//");
        is_absolute || from + 1 == step || (is_path && self.is_at_home(step))
    }

    /// The variable that holds the link that was followed.
    fn followed_link(&mut self, step: usize) -> Option<String> {
        let request = self.visit(step).request;
        let is_home = request.url.path() == "/" && request.url.query().is_none();
        let is_shown =
            self.visit(step).is_page || matches!(self.visit(step).answer.content(), Content::Html(_));
        if is_home || !is_shown || self.variables.is_full() {
            return None;
        }
        let mut pages = (step.saturating_sub(LOOK_BACK)..step).rev();
        let (page, link) = pages.find_map(|page| Some((page, self.link_on(page, request)?)))?;
        let link = link.filter(|link| self.leads_there(&link.href, page, step))?;
        let Link { chosen, href, own_parts } = link;
        let name = self.variables.bind(&link_name(&chosen.selector, request), &href, page, step);
        let mut from = vec![
            ("css".to_owned(), Yaml::Text(chosen.selector)),
            ("attribute".to_owned(), Yaml::text("href")),
        ];
        let pinned = (!own_parts.is_empty()).then(|| {
            from.push(("pick".to_owned(), Yaml::text("random")));
            Pinned { own_parts, position: chosen.position }
        });
        self.extract(page, Extract { name: name.clone(), from, pinned });
        Some(name)
    }

    /// Whether a page before has a link to where the visit `step` went.
    pub(super) fn is_linked(&self, step: usize) -> bool {
        let request = self.visit(step).request;
        let mut pages = (step.saturating_sub(LOOK_BACK)..step).map(|page| self.visit(page).answer);
        pages.any(|page| page.html().is_some_and(|html| !links(html, page, request).is_empty()))
    }

    /// The link to what `request` asks for: `None` where the page has none, `Some(None)` where it has one that no short
    /// selector tells from others.
    fn link_on(&self, page: usize, request: &Entry) -> Option<Option<Link>> {
        let answer = self.visit(page).answer;
        let html = answer.html()?;
        let tags = links(html, answer, request);
        let base = base(html, &answer.url);
        let mut links = tags.iter().take(LINKS_MAX);
        (!tags.is_empty()).then(|| links.find_map(|tag| of_link(html, tag, &base, &request.url)))
    }

    /// The variable that holds the address already: somebody went back.
    fn held_address(&mut self, step: usize) -> Option<String> {
        let url = &self.visit(step).request.url;
        let [path, url] = written(url);
        let path = path.filter(|_| self.is_at_home(step));
        path.and_then(|path| self.variables.holding(&path, step))
            .or_else(|| self.variables.holding(&url?, step))
    }

    /// The variable that holds an address which an answer told as a whole.
    fn told_address(&mut self, step: usize) -> Option<String> {
        let url = &self.visit(step).request.url;
        let changes = |part: &str| looks(&decoded(part)) != Looks::Fixed;
        let is_other_next_time = url.path().split('/').any(changes)
            || url.query_pairs().any(|(_, value)| looks(&value) != Looks::Fixed);
        if self.variables.is_full() || !is_other_next_time {
            return None;
        }
        let written = written(url);
        let places = (step.saturating_sub(LOOK_BACK)..step).rev();
        let mut places = places.flat_map(|from| written.iter().flatten().map(move |text| (from, text)));
        let (from, text, source) = places.find_map(|(from, text)| {
            let answer = self.visit(from).answer;
            let is_page = matches!(answer.content(), Content::Html(_));
            let is_told = !is_page || answer.answer_header("location") == Some(text.as_str());
            if !is_told || !self.leads_there(text, from, step) {
                return None;
            }
            Some((from, text, source::find(self.visit(from), text, "url")?))
        })?;
        let name = path_name(self.visit(step).request).unwrap_or_else(|| "link".to_owned());
        let name = self.variables.bind(&name, text, from, step);
        self.extract(from, Extract { name: name.clone(), from: source.from, pinned: None });
        Some(name)
    }
}

/// The links of a page to what `request` asks for.
fn links(html: &str, page: &Entry, request: &Entry) -> Vec<Tag> {
    let base = base(html, &page.url);
    let leads = |href: &str| address(&base, href).as_ref() == Some(&request.url);
    look(html, None, |tag| tag.name == "a" && tag.attribute("href").is_some_and(leads))
}

/// An address as pages and answers write it: from its path on (not where that is the root), and as a whole.
fn written(url: &Url) -> [Option<String>; 2] {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    [Some(path).filter(|path| path != "/"), Some(url.to_string())]
}

/// A segment of a path without its escapes.
pub(super) fn decoded(segment: &str) -> String {
    let pair = format!("s={}", segment.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// What a link is called: by the last class or id of its selector, or by where it leads.
fn link_name(selector: &str, request: &Entry) -> String {
    let last = selector.rsplit(' ').next().unwrap_or_default();
    let told = last.split_once(['#', '.']).filter(|_| !last.contains('['));
    let told = told.map(|(_, told)| words(told)).unwrap_or_default();
    let says_nothing = |word: &String| LOOKS_ONLY.contains(&word.as_str());
    if told.is_empty() || told.iter().any(says_nothing) {
        return path_name(request).unwrap_or_else(|| "link".to_owned());
    }
    told.join("_")
}

/// What a path is about: `order` of `/api/orders/123`, `category` of `/c/lamps`.
fn path_name(request: &Entry) -> Option<String> {
    let segments: Vec<String> =
        request.url.path().split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    let is_word = |segment: &String| looks(segment) == Looks::Fixed && segment.parse::<u64>().is_err();
    let own = segments.iter().position(|segment| !is_word(segment)).unwrap_or(1);
    let told = segments.get(own.checked_sub(1)?).filter(|segment| is_word(segment))?;
    let word: String = singular(&words(told).join("_")).chars().take(NAME_CHARS_MAX).collect();
    (!word.is_empty()).then_some(word)
}
