//! `doorbuster hit`: one URL and no file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use doorbuster_model::target;
use doorbuster_notation::{parse_duration, parse_rate_milli};

use super::options::RunOptions;
use super::preflight::begin;
use super::run::carry_out;
use crate::outcome::Job;
use crate::prepare::{Prepared, Source};
use crate::{Error, Verdict};

/// Hit one URL, without any file: what wrk or oha are used for.
///
/// With --rate, requests start at that rate whatever the target does (open model) and share one keep-alive pool;
/// a request that must wait for a connection counts its wait. With --connections and no --rate, that many
/// connections send as fast as they are answered (closed model). Exit codes: 0 pass, 2 usage error, 3 invalid.
#[derive(Args, Clone, Debug)]
pub struct HitCommand {
    /// The URL
    url: String,
    /// Requests per second (open model), as 1000/s or 30/m [default: 10/s]
    #[arg(long, value_parser = rate, conflicts_with = "connections", value_name = "RATE")]
    rate: Option<u64>,
    /// Connections that send as fast as they are answered (closed model)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    connections: Option<u32>,
    /// For how long
    #[arg(long = "for", value_parser = duration, default_value = "10s", value_name = "DURATION")]
    length: String,
    /// A bound on the pool (open model): requests queue for a connection, and the wait counts
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "connections", value_name = "N")]
    max_connections: Option<u32>,
    /// Speak HTTP/2, without TLS by prior knowledge
    #[arg(long)]
    http2: bool,
    /// Requests at a time on one HTTP/2 connection
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000), default_value_t = 1, requires = "http2", value_name = "M")]
    streams: u32,
    /// The regions to hit it from, each with an agent of its own (after the URL, or separated by commas)
    #[arg(long, value_name = "NAME", default_value = "here", num_args = 1.., value_delimiter = ',')]
    region: Vec<String>,
    #[command(flatten)]
    options: RunOptions,
}

/// Reads a rate above 0, in thousandths per second.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    match parse_rate_milli(text)? {
        0 => Err("a rate of 0 sends nothing; give a rate above 0/s".to_owned()),
        milli => Ok(milli),
    }
}

/// Checks a duration and leaves it as it was written, for the plan that is made from it.
fn duration(text: &str) -> Result<String, String> {
    let length = parse_duration(text)?;
    if length.is_zero() {
        Err("0 is no time to hit anything; give a duration such as 10s".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

impl HitCommand {
    /// Hits the URL.
    ///
    /// # Errors
    /// [`Error`] when no run came about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        let source = self.source()?;
        let prepared = Prepared::new(source, self.options.overrides(None)?)?;
        let outputs = self.options.outputs()?;
        begin(&prepared, self.options.preflight())?;
        carry_out(Job::Hit, &prepared, &outputs)
    }

    /// The plan and the journey that the command line stands for. A JSON text is a YAML text, and safely quoted.
    fn source(&self) -> Result<Source, Error> {
        let url = target::parse(&self.url).map_err(Error::Usage)?;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        // `${` begins a variable in journeys; `$${` writes it as it is.
        let path = url[url::Position::BeforePath..url::Position::AfterQuery].replace("${", "$${");
        let journey = format!("journey: hit\nsteps:\n  - {{ step: request, get: {} }}\n", quoted(&path));
        let regions: Vec<String> = self.region.iter().map(|region| quoted(region)).collect();
        let text = format!(
            "name: hit\ntarget: {}\nregions: [{}]\njourneys: [hit]\nload: {}\nhttp: {{ version: {} }}\ngraceful: 60s\n",
            quoted(&url.origin().ascii_serialization()),
            regions.join(", "),
            self.load(),
            if self.http2 { "2" } else { "auto" },
        );
        let files = BTreeMap::from([("hit".to_owned(), journey)]);
        Ok(Source { name: "the plan of this command line".to_owned(), folder: PathBuf::new(), text, files })
    }

    fn load(&self) -> String {
        let (length, streams) = (&self.length, self.streams);
        if let Some(connections) = self.connections {
            let shoppers = u64::from(connections) * u64::from(streams);
            let pool = match self.http2 {
                true => format!("connections: shared, max_connections: {connections}, streams: {streams}"),
                false => "connections: keep".to_owned(),
            };
            return format!("{{ shoppers: [{{ hold: {shoppers}, for: {length} }}], cookies: keep, {pool} }}");
        }
        let rate = doorbuster_notation::show_rate_milli(self.rate.unwrap_or(10_000));
        let bound =
            self.max_connections.map_or_else(String::new, |most| format!(", max_connections: {most}"));
        format!(
            "{{ arrivals: [{{ hold: {rate}, for: {length} }}], connections: shared, streams: {streams}{bound} }}"
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    fn prepared(arguments: &[&str]) -> Result<Prepared, String> {
        let command = HitCommand::augment_args(clap::Command::new("hit"));
        let matches = command
            .try_get_matches_from([&["hit"], arguments].concat())
            .map_err(|error| error.to_string())?;
        let hit = HitCommand::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        hit.source()
            .and_then(|source| Prepared::new(source, hit.options.overrides(None)?))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_stands_for_a_plan() {
        let open = prepared(&[
            "http://127.0.0.1:1/a?b=${c}",
            "--rate",
            "1000/s",
            "--for",
            "2s",
            "--max-connections",
            "64",
        ]);
        let plan = open.unwrap().plan;
        assert_eq!((plan.load.pace.arrivals(), plan.load.max_connections), (2_000, Some(64)));
        let closed = prepared(&["http://127.0.0.1:1", "--connections", "4", "--http2", "--streams", "8"])
            .unwrap()
            .plan;
        assert_eq!((closed.load.pace.shoppers_at(0), closed.load.max_connections), (32, Some(4)));
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (arguments, part) in [
            (&["nonsense"][..], "is not a URL"),
            (&["http://127.0.0.1", "--rate", "0/s"], "a rate of 0 sends nothing"),
            (&["http://127.0.0.1", "--rate", "5"], "the unit is missing"),
            (&["http://127.0.0.1", "--for", "0s"], "no time"),
            (&["http://127.0.0.1", "--rate", "5/s", "--connections", "5"], "cannot be used with"),
            (&["http://shop.example.com", "--rate", "11/s"], "--allow-host shop.example.com"),
            (&["http://shop.example.com", "--connections", "1"], "--allow-host shop.example.com"),
        ] {
            let error = prepared(arguments).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
        assert!(prepared(&["http://shop.example.com", "--rate", "10/s"]).is_ok());
    }
}
