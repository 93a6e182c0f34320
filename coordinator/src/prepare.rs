//! A run before it begins: plan, journeys and files, read and checked. Nothing has been sent yet.

mod legs;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorbuster_journeys::Journey;
use doorbuster_model::assignment::Secrets;
use doorbuster_model::pace::Section;
use doorbuster_model::plan::JourneyUse;
use doorbuster_model::plan::fleet::LaunchBy;
use doorbuster_model::preflight::{Rows, Walk};
use doorbuster_model::threshold::{Names, Rule};
use doorbuster_model::{Overrides, Plan, Task, Threshold};
use doorbuster_notation::{BYTES_MAX, Fault, Faults, Place};
use url::Url;

use crate::windows::stretches;
use crate::{Error, journeys};

pub(crate) use legs::Leg;

/// The most bytes of plan, journeys and certificates together: a frame with room to spare.
pub(crate) const ASSIGNMENT_BYTES_MAX: usize = 12 << 20;
/// The most agents on this machine: they are processes, and share its CPUs.
const LOCAL_AGENTS_MAX: u64 = 200;

/// A plan's text and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its name in messages: the path as the user gave it.
    pub name: String,
    /// The folder that paths in it are relative to.
    pub folder: PathBuf,
    /// Its text.
    pub text: String,
    /// Texts of files that exist only in memory, by the name that the plan uses.
    pub files: BTreeMap<String, String>,
}

/// A run that can begin.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The plan as every agent will read it.
    pub plan: Plan,
    /// The folder that paths in it are relative to.
    pub folder: PathBuf,
    /// Its text.
    pub text: String,
    /// What the command line says over it.
    pub overrides: Overrides,
    /// The program that serves as every agent; `None` for this one.
    pub agent: Option<PathBuf>,
    /// The files that agents need: one copy for all of them.
    pub files: Arc<BTreeMap<String, String>>,
    /// The environment's variables that journeys read.
    pub secrets: Secrets,
    /// The day on which it is prepared, in days since 1970-01-01 (UTC).
    pub today: i64,
    /// What agents are to do with it.
    pub task: Task,
    /// What a walk through each journey comes to.
    pub walks: Vec<Walk>,
    /// What positions are called.
    pub names: Names,
    /// The thresholds, their names resolved.
    pub rules: Vec<Rule>,
    /// When to abort.
    pub abort: Option<Rule>,
    /// Where Amazon Web Services are spoken with, instead of at their own addresses.
    pub aws_endpoint: Option<String>,
}

impl Source {
    /// Reads a plan's file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = read_text(path, "the plan", "check the path, or see README.md for a plan to start from")?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { name: path.display().to_string(), folder, text, files: BTreeMap::new() })
    }
}

/// Reads a text of at most 1 MiB.
pub(crate) fn read_text(path: &Path, what: &'static str, remedy: &'static str) -> Result<String, Error> {
    read_text_up_to(BYTES_MAX, path, what, remedy)
}

/// Reads a text of at most `bytes_max` bytes, whole MiB.
pub(crate) fn read_text_up_to(
    bytes_max: usize,
    path: &Path,
    what: &'static str,
    remedy: &'static str,
) -> Result<String, Error> {
    let fail = |why: String, remedy| Error::Read { what, path: path.to_owned(), why, remedy };
    let file = File::open(path).map_err(|error| fail(error.to_string(), remedy))?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(error.to_string(), remedy))?;
    if bytes.len() > bytes_max {
        let most = bytes_max >> 20;
        return Err(fail(
            format!("it is over {most} MiB"),
            "move data out of plans and journeys, or use less of it",
        ));
    }
    String::from_utf8(bytes).map_err(|error| fail(format!("it is not UTF-8 ({error})"), "save it as UTF-8"))
}

impl Prepared {
    /// Reads and checks everything that a run needs.
    ///
    /// # Errors
    /// All faults of the plan, or of the first journey that has any, or what is wrong with the command line.
    pub(crate) fn new(source: Source, overrides: Overrides) -> Result<Self, Error> {
        Self::with_task(source, overrides, Task::Load)
    }

    /// The same for another task than the plan's load.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn with_task(source: Source, overrides: Overrides, task: Task) -> Result<Self, Error> {
        Self::of_regions(source, overrides, task, &[])
    }

    /// The same from these regions of the plan alone; from all of them where none is named.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn of_regions(
        source: Source,
        overrides: Overrides,
        task: Task,
        regions: &[String],
    ) -> Result<Self, Error> {
        let prepared = Self::to_look_at(source, overrides, task, regions)?;
        check_targets(&prepared.plan, &prepared.walks, &prepared.task)?;
        Ok(prepared)
    }

    /// The same for who sends nothing: whether the targets may be loaded is not asked.
    ///
    /// # Errors
    /// As [`new`](Self::new), targets aside.
    pub(crate) fn to_look_at(
        source: Source,
        overrides: Overrides,
        task: Task,
        regions: &[String],
    ) -> Result<Self, Error> {
        let mut plan = Plan::read(&source.name, &source.text)?;
        plan.apply(&overrides).map_err(Error::Usage)?;
        keep_regions(&mut plan, regions)?;
        match &task {
            Task::Load if !plan.has_load => {
                let why = "the plan has no `load`, because it is for probes alone; add one to run it";
                return Err(Error::Usage(why.to_owned()));
            }
            Task::Audit(audit) => plan.for_audit(audit)?,
            Task::Probe { every_ms } => plan.for_probe(*every_ms),
            Task::Load | Task::Trace { .. } => {}
        }
        let mut files = source.files.clone();
        let today = jiff::Timestamp::now().as_second().div_euclid(86_400);
        let mut secrets = Secrets::default();
        let journeys = journeys::read(&plan, &source, today, &mut files, &mut secrets)?;
        certificates(&plan, &source, &mut files)?;
        let agent = agent_binary(&plan, &source)?;
        let names = names(&plan, &journeys);
        let (rules, abort) = rules(&plan, &source.name, &names)?;
        check_data(&journeys, &task)?;
        check_sizes(&plan, &source.text, &files)?;
        let walks = walks(&plan, &journeys);
        Ok(Self {
            plan,
            folder: source.folder,
            text: source.text,
            overrides,
            agent,
            files: Arc::new(files),
            secrets,
            today,
            task,
            walks,
            names,
            rules,
            abort,
            aws_endpoint: None,
        })
    }

    /// The same with Amazon Web Services at `endpoint`, where there is one.
    pub(crate) fn with_aws_at(self, endpoint: Option<&Url>) -> Self {
        Self { aws_endpoint: endpoint.map(Url::to_string), ..self }
    }

    /// The run's sections.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.names.sections
    }
}

/// Leaves the regions that were named, where any was.
fn keep_regions(plan: &mut Plan, named: &[String]) -> Result<(), Error> {
    if named.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = plan.regions.iter().map(|region| region.name.as_str()).collect();
    if let Some(unknown) = named.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.join(", ");
        return Err(Error::Usage(format!("--region: the plan has no region \"{unknown}\"; it has {known}")));
    }
    plan.regions.retain(|region| named.contains(&region.name));
    Ok(())
}

fn certificates(plan: &Plan, source: &Source, files: &mut BTreeMap<String, String>) -> Result<(), Error> {
    let pair = plan.http.client_cert.iter().flat_map(|(certificate, key)| [certificate, key]);
    for name in plan.http.ca.iter().chain(pair) {
        let path = source.folder.join(name);
        let text = read_text(&path, "a certificate of the plan's http", "check the path")?;
        check_pem(&path, &text)?;
        files.insert(name.clone(), text);
    }
    Ok(())
}

/// Where the plan's own agent is, when it has one: a file that can be run.
fn agent_binary(plan: &Plan, source: &Source) -> Result<Option<PathBuf>, Faults> {
    let Some((place, name)) = &plan.agent_binary else { return Ok(None) };
    let refused = |why: &str| {
        let message = format!(
            "the agent_binary \"{name}\" cannot be run: {why}; build it first, and name it relative to the plan"
        );
        Faults::one(&source.name, Fault::new(*place, message))
    };
    // Whole, so that it is what is meant wherever this was started, and never looked for along PATH.
    let path = source.folder.join(name).canonicalize().map_err(|why| refused(&why.to_string()))?;
    let metadata = path.metadata().map_err(|why| refused(&why.to_string()))?;
    if !metadata.is_file() {
        return Err(refused("it is no file"));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(refused("it is not executable (chmod +x)"));
    }
    Ok(Some(path))
}

/// Whether a file is PEM at all; what is in it, the agents' TLS library finds out.
pub(crate) fn check_pem(path: &Path, text: &str) -> Result<(), Error> {
    let is_pem = text.contains("-----BEGIN ") && text.contains("-----END ");
    let (what, why) = ("the certificate", "it is not PEM".to_owned());
    let remedy = "PEM files hold lines such as -----BEGIN CERTIFICATE-----";
    if is_pem { Ok(()) } else { Err(Error::Read { what, path: path.to_owned(), why, remedy }) }
}

/// Everything fits what an agent is handed, and this machine.
fn check_sizes(plan: &Plan, text: &str, files: &BTreeMap<String, String>) -> Result<(), Error> {
    let bytes = text.len() + files.values().map(String::len).sum::<usize>();
    if bytes > ASSIGNMENT_BYTES_MAX {
        let most = ASSIGNMENT_BYTES_MAX >> 20;
        return Err(Error::Usage(format!(
            "the plan with all its files has {bytes} bytes, and an agent is handed at most {most} MiB; use fewer or shorter journeys"
        )));
    }
    let here = plan.regions.iter().filter(|region| region.launch == LaunchBy::Local);
    let agents: u64 = here.map(|region| u64::from(region.agents)).sum();
    if agents > LOCAL_AGENTS_MAX {
        return Err(Error::Usage(format!(
            "the plan has {agents} agents on this machine, which runs at most {LOCAL_AGENTS_MAX} at once; lower `agents`, or launch them elsewhere"
        )));
    }
    Ok(())
}

/// What walks come to, as far as planning goes.
fn walks(plan: &Plan, journeys: &[Journey]) -> Vec<Walk> {
    let walk = |(used, journey): (&JourneyUse, &Journey)| {
        let habit = journey.habit();
        let own_rows = journey.own_rows();
        Walk {
            journey: journey.name().to_owned(),
            weight: used.weight,
            think_s: habit.think.as_secs_f64(),
            pacing_s: journey.pacing().as_secs_f64(),
            requests: habit.requests,
            pages: habit.pages,
            requests_max: journey.requests_max(),
            rows: own_rows
                .map(|own| Rows { file: own.file.to_owned(), count: own.rows, stops: own.stops })
                .collect(),
        }
    };
    plan.journeys.iter().zip(journeys).map(walk).collect()
}

/// What positions are called.
pub(crate) fn names(plan: &Plan, journeys: &[Journey]) -> Names {
    let steps = |journey: &Journey| journey.sample_names().to_vec();
    Names {
        regions: plan.regions.iter().map(|region| region.name.clone()).collect(),
        journeys: journeys.iter().map(|journey| (journey.name().to_owned(), steps(journey))).collect(),
        classes: plan.cdn.classes().to_vec(),
        sections: plan.load.pace.sections(u64::try_from(plan.warmup.as_nanos()).unwrap_or(u64::MAX)),
    }
}

fn rules(plan: &Plan, file: &str, names: &Names) -> Result<(Vec<Rule>, Option<Rule>), Faults> {
    let mut faults = Faults::none(file);
    let mut resolve = |(place, threshold): &(Place, Threshold), names: &Names| {
        let rule = threshold.resolve(names).and_then(|rule| fits_its_phases(rule, names));
        faults.keep(rule.map_err(|why| Fault::new(*place, why)))
    };
    let rules: Vec<Rule> = plan.thresholds.iter().filter_map(|threshold| resolve(threshold, names)).collect();
    // The warm-up is outside thresholds, but a target that breaks down in it is a reason to stop.
    let mut everything = names.clone();
    everything.sections.iter_mut().for_each(|section| section.warmup = false);
    let abort = plan.abort_when.as_ref().and_then(|threshold| resolve(threshold, &everything));
    faults.or(Some((rules, abort)))
}

/// A window that is longer than all that the rule is about would never be full.
fn fits_its_phases(rule: Rule, names: &Names) -> Result<Rule, String> {
    let Some(over) = rule.threshold.over else { return Ok(rule) };
    let longest = stretches(&rule, &names.sections).into_iter().map(|(from_ns, to_ns)| to_ns - from_ns).max();
    if u128::from(longest.unwrap_or(0)) < over.as_nanos() {
        return Err(format!(
            "\"{}\" looks at windows that are longer than what it is about; shorten \"over\"",
            rule.threshold
        ));
    }
    Ok(rule)
}

/// A probe has no end, so that its journeys' data must not have one.
fn check_data(journeys: &[Journey], task: &Task) -> Result<(), Error> {
    let ends = |journey: &&Journey| matches!(task, Task::Probe { .. }) && journey.ends_with_its_data();
    match journeys.iter().find(ends) {
        None => Ok(()),
        Some(journey) => Err(Error::Usage(format!(
            "the journey \"{}\" sends shoppers away once its data is used up, and a probe has no end; leave `at_end: stop` out",
            journey.name()
        ))),
    }
}

/// Every region has a target, and may load it.
fn check_targets(plan: &Plan, walks: &[Walk], task: &Task) -> Result<(), Error> {
    for region in &plan.regions {
        let target = plan.target_of(region).ok_or_else(|| {
            Error::Usage(
                "nobody said where the load goes: add --target URL, or `target:` to the plan".to_owned(),
            )
        })?;
        let may_send = match task {
            // It keeps to its rate, however much it asks for.
            Task::Audit(audit) => plan.may_audit(target, audit.rate_milli),
            Task::Load | Task::Trace { .. } | Task::Probe { .. } => {
                plan.may_send_to(target, walks.iter().map(|walk| walk.requests_max))
            }
        };
        if !may_send {
            return Err(Error::NotAllowed { host: target.host_str().unwrap_or("").to_owned() });
        }
        if let Task::Audit(audit) = task
            && plan.audit_share_milli(region, audit.rate_milli) == 0
        {
            let why =
                "--rate: so little cannot be shared among the regions; ask for more, or from fewer regions";
            return Err(Error::Usage(why.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use doorbuster_model::Assignment;
    use doorbuster_model::assignment::Audit;

    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "plan.yaml".into(),
            folder: PathBuf::from("/nowhere"),
            text: text.into(),
            files: BTreeMap::new(),
        }
    }

    const PLAN: &str = "name: x\ntarget: http://127.0.0.1:1\nregions: { a: { agents: 2 }, b: { share: 3 } }\njourneys: [browse]\nload: { arrivals: [{ hold: 10/s, for: 10s }] }\n";

    #[test]
    fn the_shares_of_all_agents_are_the_plan() {
        let prepared = Prepared::new(source(PLAN), Overrides::default()).unwrap();
        let assignments = prepared.assignments("r");
        let counts: Vec<u64> =
            assignments.iter().map(|(_, assignment)| assignment.segment.count_below(100_000)).collect();
        assert_eq!(counts, [12_500, 12_500, 75_000]);
    }

    #[test]
    fn a_probe_has_one_agent_in_each_region_and_no_end() {
        let plan = PLAN.replace("load: { arrivals: [{ hold: 10/s, for: 10s }] }", "probe: { every: 20s }");
        let task = Task::Probe { every_ms: 20_000 };
        let prepared = Prepared::with_task(source(&plan), Overrides::default(), task.clone()).unwrap();
        let assignments = prepared.assignments("r");
        assert_eq!(assignments.iter().map(|(region, _)| *region).collect::<Vec<_>>(), [0, 1]);
        assert!(assignments.iter().all(|(_, assignment)| assignment.task == task));
        let mut ending = source(&plan.replace("browse", "once.yaml"));
        let once = "journey: once\ndata: { user: { file: users.csv, at_end: stop } }\nsteps: [{ step: a, get: / }]\n";
        ending.files.insert("once.yaml".to_owned(), once.to_owned());
        ending.folder = std::env::temp_dir().join(format!("doorbuster-prepare-{}", std::process::id()));
        std::fs::create_dir_all(&ending.folder).unwrap();
        std::fs::write(ending.folder.join("users.csv"), "name\nann\n").unwrap();
        let folder = ending.folder.clone();
        let refused = Prepared::with_task(ending, Overrides::default(), task).unwrap_err().to_string();
        std::fs::remove_dir_all(folder).unwrap();
        assert!(refused.contains("\"once\" sends shoppers away"), "{refused}");
    }

    #[test]
    fn regions_of_an_audit_share_its_rate_where_they_ask_the_same_server() {
        let audit = |rate_milli, regions: &[&str]| {
            let text = PLAN.replace("share: 3 }", "share: 3 }, c: { target: \"http://127.0.0.1:2\" }");
            let audit = Audit { rate_milli, ..Audit::default() };
            let regions: Vec<String> = regions.iter().map(|name| (*name).to_owned()).collect();
            let task = Task::Audit(Box::new(audit));
            Prepared::of_regions(source(&text), Overrides::default(), task, &regions)
        };
        let rates = |prepared: &Prepared| -> Vec<(String, u64)> {
            let assignments = prepared.assignments("r").into_iter();
            let rate = |(_, assignment): (usize, Assignment)| match assignment.task {
                Task::Audit(audit) => (assignment.region, audit.rate_milli),
                other => panic!("{other:?}"),
            };
            assignments.map(rate).collect()
        };
        let of = |region: &str, rate_milli| (region.to_owned(), rate_milli);
        let all = audit(9_000, &[]).unwrap();
        assert_eq!(rates(&all), [of("a", 4_500), of("b", 4_500), of("c", 9_000)]);
        let some = audit(9_000, &["c", "a"]).unwrap();
        assert_eq!(rates(&some), [of("a", 9_000), of("c", 9_000)], "who takes no part has no share");
        assert_eq!(some.names.regions, ["a", "c"]);
        let refused = |rate_milli, regions: &[&str]| audit(rate_milli, regions).unwrap_err().to_string();
        assert!(refused(1, &[]).contains("cannot be shared"));
        assert!(refused(9_000, &["d"]).contains("no region \"d\"; it has a, b, c"));
    }

    #[test]
    fn what_cannot_run_is_refused_with_place_and_remedy() {
        let refused = |from: &str, to: &str| {
            assert!(PLAN.contains(from));
            Prepared::new(source(&PLAN.replace(from, to)), Overrides::default()).unwrap_err()
        };
        let missing = refused("[browse]", "[brwose.yaml]").to_string();
        assert!(missing.starts_with("plan.yaml:4:12: the journey \"brwose.yaml\" is neither built in (browse, cart, checkout) nor a file"), "{missing}");
        let twice = refused("[browse]", "[browse, browse]").to_string();
        assert!(twice.contains("a second journey is called \"browse\""), "{twice}");
        let nowhere = refused("target: http://127.0.0.1:1\n", "").to_string();
        assert!(nowhere.contains("--target URL"), "{nowhere}");
        let stranger = refused("127.0.0.1:1", "shop.example.com");
        assert!(stranger.to_string().contains("--allow-host shop.example.com"), "{stranger}");
        assert_eq!(stranger.exit_code(), 2);
        let agent = refused("name: x\n", "name: x\nagent_binary: our-agent\n").to_string();
        assert!(
            agent.starts_with("plan.yaml:2:15: the agent_binary \"our-agent\" cannot be run: No such file"),
            "{agent}"
        );
        let probes =
            refused("load: { arrivals: [{ hold: 10/s, for: 10s }] }", "probe: { every: 20s }").to_string();
        assert!(probes.contains("the plan has no `load`"), "{probes}");
        let threshold = refused("name: x\n", "name: x\nthresholds: [\"hoem p95 < 1s\"]\n").to_string();
        assert!(threshold.starts_with("plan.yaml:2:14: the threshold \"hoem p95 < 1s\""), "{threshold}");
    }
}
