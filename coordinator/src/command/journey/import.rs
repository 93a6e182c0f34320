//! `doorbuster journey import`: a browser's recording becomes a journey.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use doorbuster_journeys::{ImportOptions, import};

use crate::command::print::print;
use crate::prepare::read_text_up_to;
use crate::{Error, Verdict};

/// The longest recording that is read, in bytes.
const HAR_BYTES_MAX: usize = 200 << 20;

/// Turn a browser's HAR recording into a short journey, on standard output.
///
/// Assets are folded into their pages, third parties left out, tokens and ids taken from earlier answers, forms
/// submitted as forms, secrets replaced by variables of the environment. What a person must look at is told on standard
/// error, and marked in the journey by comments. In a browser's developer tools: Network, "Export HAR".
#[derive(Args, Clone, Debug)]
pub(super) struct ImportCommand {
    /// The recording
    #[arg(value_name = "FILE.har")]
    file: PathBuf,
    /// The journey's name [default: the file's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A further host that belongs to the shop, besides that of the first page
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
}

impl ImportCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let remedy = "check the path, or record a shorter visit";
        let har = read_text_up_to(HAR_BYTES_MAX, &self.file, "the recording", remedy)?;
        let stem = || {
            let stem = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
            stem.chars().map(plain).take(100).collect()
        };
        let name = self.name.clone().unwrap_or_else(stem);
        let imported = import(&har, &ImportOptions { name, hosts: self.host.clone() });
        let imported = imported.map_err(|why| Error::Usage(format!("{}: {why}", self.file.display())))?;
        let mut stderr = std::io::stderr().lock();
        for remark in &imported.remarks {
            // Where standard error is closed, the journey still comes.
            let _ = writeln!(stderr, "{remark}");
        }
        for (host, count) in &imported.dropped {
            let _ = writeln!(stderr, "left out: {count} requests to {host}");
        }
        print(&imported.text)?;
        Ok(Verdict::Pass)
    }
}
