//! A case of the conformance suite: a journey, and the transcript of a walk through it.

use std::convert::Infallible;
use std::sync::Arc;

use doorbuster_journeys::{
    Answer, ContentType, Ending, Fetch, Hop, Journey, Next, Run, Shopper, Supplies, Walk,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use rand_core::TryRng;
use url::Url;

/// Where every walk begins.
const HOME: &str = "http://shop.test/";
/// The most lines of a transcript.
const LINES_MAX: usize = 200;

/// One case of a file: `## title`, the journey without its name, `---`, the transcript.
pub(crate) struct Case<'a> {
    pub(crate) title: &'a str,
    pub(crate) journey: &'a str,
    pub(crate) transcript: &'a str,
}

impl<'a> Case<'a> {
    /// The cases of a file.
    pub(crate) fn all(text: &'a str) -> impl Iterator<Item = Case<'a>> {
        text.split("## ").skip(1).map(|case| {
            let (title, rest) = case.split_once('\n').unwrap();
            let (journey, transcript) = rest.split_once("---\n").unwrap_or((rest, ""));
            let end = transcript.trim_end().len();
            let transcript = transcript.get(..end + 1).unwrap_or(transcript);
            Case { title, journey, transcript }
        })
    }

    /// What a walk does, given the answers of the transcript.
    pub(crate) fn walk(&self) -> String {
        let text = format!("journey: test\n{}", self.journey);
        let mut journey = match Journey::parse("j.yaml", &text) {
            Ok(journey) => journey,
            Err(faults) => return faults.to_string().lines().map(|fault| format!("? {fault}\n")).collect(),
        };
        let supplies = Supplies { file: &data_file, secret: &secret, today: 20_780 };
        if let Err(faults) = journey.supply(&supplies) {
            return faults.to_string().lines().map(|fault| format!("? {fault}\n")).collect();
        }
        let run = Run { id: "run-1".into(), mark: "dbm-3fa09c11d2e4-".into() };
        let shopper = Shopper { number: 123, run: Arc::new(run) };
        let walk = Walk::new(Arc::new(journey), shopper);
        let answers: Vec<&str> = self.transcript.lines().filter(|line| line.starts_with('<')).collect();
        Replay { walk, dice: Dice(1), page: Url::parse(HOME).unwrap(), out: String::new(), lines: 0 }
            .run(&answers)
    }
}

fn data_file(name: &str) -> Result<String, String> {
    match name {
        "users.csv" => {
            Ok("email,password\n".to_owned() + &"a@x.test,\"p,1\"\n".repeat(123) + "last@x.test,secret\n")
        }
        "items.ndjson" => Ok("{\"id\": 7, \"name\": \"Lamp\"}\n{\"id\": 7, \"name\": \"Lamp\"}\n".to_owned()),
        other => Err(format!("there is no {other}")),
    }
}

fn secret(name: &str) -> Option<String> {
    (name == "PASSWORD").then(|| "hunter2".to_owned())
}

struct Replay {
    walk: Walk,
    dice: Dice,
    page: Url,
    out: String,
    lines: usize,
}

impl Replay {
    fn run(mut self, answers: &[&str]) -> String {
        let mut answers = answers.iter();
        loop {
            self.lines += 1;
            assert!(self.lines < LINES_MAX, "it does not end:\n{}", self.out);
            match self.walk.next(&mut self.dice) {
                Next::Think(pause) if pause.is_zero() => {}
                Next::Think(pause) => self.say(&format!("~ {}s", pause.as_secs_f64())),
                Next::Fetch(fetch) => {
                    let url = self.request(&fetch);
                    match answers.next() {
                        Some(line) => self.answer(&fetch, line, url),
                        None => return self.out + "< (no answer is left)\n",
                    }
                }
                Next::Done(ending) => {
                    if let Some((_, failure)) = self.walk.take_unsent() {
                        self.say(&format!("! {}", failure.message));
                    }
                    self.say(match ending {
                        Ending::Completed => "= completed",
                        Ending::Failed => "= failed",
                        Ending::Abandoned => "= abandoned",
                        Ending::OutOfData => "= out of data",
                    });
                    return self.out;
                }
            }
        }
    }

    fn say(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// `> POST /cart [content-type: …] product=7`
    fn request(&mut self, fetch: &Fetch) -> Url {
        let base =
            fetch.base.as_ref().map_or_else(|| self.page.clone(), |base| self.page.join(base).unwrap());
        let url = base.join(fetch.target(self.walk.journey())).unwrap();
        let shown = url.as_str().strip_prefix("http://shop.test").unwrap_or(url.as_str());
        let mut line = format!("> {} {shown}", fetch.method);
        for (name, value) in &fetch.headers {
            line.push_str(&format!(" [{name}: {}]", value.to_str().unwrap()));
        }
        if let Some(body) = &fetch.body {
            let body = String::from_utf8_lossy(body).replace('\r', "\\r").replace('\n', "\\n");
            line.push_str(&format!(" {body}"));
        }
        self.say(&line);
        let journey = self.walk.journey();
        let name = &journey.sample_names()[fetch.name];
        if *name != journey.steps()[fetch.step].name {
            self.say(&format!("  counted as {name}"));
        }
        url
    }

    /// `< 200 [name: value] @/where/it/ended (302 /hop) {cookie=1} body`, or `< broken`.
    fn answer(&mut self, fetch: &Fetch, line: &str, mut url: Url) {
        self.say(line);
        let rest = line[1..].trim_start();
        if rest == "broken" {
            return self.walk.broken();
        }
        let (status, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let (mut headers, mut hops, mut cookies) = (HeaderMap::new(), Vec::new(), "");
        loop {
            if let Some(after) = rest.strip_prefix("(cut)") {
                rest = after;
            } else if let Some((header, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            {
                let (name, value) = header.split_once(": ").unwrap();
                headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
                rest = after.trim_start();
            } else if let Some((hop, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                let (status, location) = hop.split_once(' ').unwrap();
                url = url.join(location).unwrap();
                hops.push(Hop { status: status.parse().unwrap(), location: location.to_owned() });
                rest = after.trim_start();
            } else if let Some((line, after)) = rest.strip_prefix("{{").and_then(|rest| rest.split_once("}}"))
            {
                cookies = line;
                rest = after.trim_start();
            } else {
                break;
            }
        }
        let body = rest.replace("\\n", "\n").replace("\\r", "\r");
        let content_type = headers.get("content-type").map(|value| ContentType::of(value.as_bytes()));
        let answer = Answer {
            status: status.parse().unwrap(),
            content_type: content_type.unwrap_or_default(),
            headers: if fetch.wants_headers { &headers } else { &HeaderMap::new() },
            url: &url,
            hops: &hops,
            cookies: if fetch.wants_cookies { cookies } else { "" },
            body: if fetch.wants_body { body.as_bytes() } else { b"" },
            cut: line.contains("(cut)"),
        };
        let judged = self.walk.answer(&answer, &mut self.dice);
        self.page = url.clone();
        match judged {
            Ok(()) => {
                let step = &self.walk.journey().steps()[fetch.step];
                let counts: Vec<String> = step.counts().map(|(name, by)| format!("+ {name} {by}")).collect();
                counts.iter().for_each(|count| self.say(count));
            }
            Err(failure) if failure.is_tolerated => self.say(&format!("? {}", failure.message)),
            Err(failure) => self.say(&format!("! {}", failure.message)),
        }
        for marker in self.walk.take_markers() {
            self.say(&format!("+ {} = {}", marker.name, marker.value));
        }
    }
}

/// SplitMix64: a generator that is the same everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.try_next_u64()?.to_le_bytes()[0];
        }
        Ok(())
    }
}
