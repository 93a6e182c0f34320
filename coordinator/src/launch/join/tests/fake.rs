//! An agent's process that keeps what it is told and says what it was told to say, whatever happens.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use doorbuster_model::{Report, Tick};
use doorbuster_wire::{Frames, FromAgent, Message, PROTOCOL, ToAgent};

/// A program that says hello, that it has started, so many ticks with a pause after each, and that it has finished.
pub(super) struct Fake {
    pub(super) path: PathBuf,
    ticks: u32,
}

impl Fake {
    pub(super) fn new(folder: &Path, ticks: u32) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = folder.join(format!("fake-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let fake = Self { path, ticks };
        let at = fake.path.display();
        // In the background a shell gives a command no input, unless it is opened for it.
        let mut script =
            format!("#!/bin/sh\necho $$ >> '{at}.started'\nexec 3<&0\ncat <&3 > '{at}.told' &\n");
        for message in fake.says() {
            let octal: String =
                message.encode().unwrap().iter().map(|byte| format!("\\{byte:03o}")).collect();
            writeln!(script, "printf '{octal}'; sleep 0.01").unwrap();
        }
        std::fs::write(&fake.path, script).unwrap();
        std::fs::set_permissions(&fake.path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fake
    }

    /// Is what runs from now on where the other one did; that one goes on if it runs.
    pub(super) fn stand_in_for(&self, other: &Self) {
        std::fs::rename(&self.path, &other.path).unwrap();
    }

    /// All that it says.
    pub(super) fn says(&self) -> Vec<FromAgent> {
        let version = "0.1.0".to_owned();
        let hello = FromAgent::Hello { protocol: PROTOCOL, version: version.clone() };
        let started = Report::Started { clock_unix_ns: 1, version, workers: 1, descriptors_max: 9 };
        let ticks = (0..self.ticks).map(|second| Report::Tick(Box::new(Tick { second, ..Tick::default() })));
        let finished = Report::Finished { ticks: self.ticks };
        let reports = std::iter::once(started).chain(ticks).chain([finished]).map(FromAgent::Report);
        std::iter::once(hello).chain(reports).collect()
    }

    /// How often it was started.
    pub(super) fn starts(&self) -> usize {
        self.lines().len()
    }

    /// The process that was started last.
    pub(super) fn process(&self) -> Option<u32> {
        self.lines().last()?.parse().ok()
    }

    fn lines(&self) -> Vec<String> {
        let path = format!("{}.started", self.path.display());
        std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// What the last process was told.
    pub(super) fn told(&self) -> Vec<ToAgent> {
        let mut frames = Frames::default();
        frames.push(&std::fs::read(format!("{}.told", self.path.display())).unwrap());
        std::iter::from_fn(|| frames.next_frame().unwrap())
            .map(|frame| ToAgent::decode(&frame).unwrap())
            .collect()
    }
}
