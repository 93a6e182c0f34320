//! The options that every run has.

use std::path::{Path, PathBuf};

use clap::Args;
use doorbuster_model::plan::transport::header_option;
use doorbuster_model::{Overrides, target};
use url::Url;

use crate::Error;
use crate::prepare::{check_pem, read_text};
use crate::runs::{self, Kept};
use crate::store::Place;
use crate::tell::Destinations;

/// The options that everything has which sends requests.
#[derive(Args, Clone, Debug)]
pub(crate) struct TargetOptions {
    /// Let HOST be loaded; loopback always may be, any other host gets at most 10 requests/s without this
    #[arg(long, value_name = "HOST", help_heading = "Target")]
    allow_host: Vec<String>,
    /// Send this header with every request
    #[arg(long, value_name = "'K: V'", help_heading = "Target")]
    header: Vec<String>,
    /// Use this address for HOST:PORT instead of looking its name up
    #[arg(long, value_name = "HOST:PORT:ADDR", help_heading = "Target")]
    resolve: Vec<String>,
    /// Trust the certificates of this PEM file instead of the public authorities
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    cacert: Option<PathBuf>,
    /// Do not check the target's certificate
    #[arg(long, help_heading = "Target")]
    insecure: bool,
    /// Everything random follows from this number: the same seed sends the same crowd
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// The options that everything has which may speak with Amazon Web Services.
#[derive(Args, Clone, Debug)]
pub(crate) struct AwsOptions {
    /// Speak with this address instead of AWS's own
    #[arg(long, value_name = "URL", value_parser = target::parse)]
    pub aws_endpoint: Option<Url>,
}

/// The options that every run has.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    aws: AwsOptions,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Write a JUnit file: a test case per threshold and region
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    junit: Option<PathBuf>,
    /// Write a summary in Markdown
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    markdown: Option<PathBuf>,
    /// Write HdrHistogram logs, a file per region, into this folder
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    hlog: Option<PathBuf>,
    /// No progress and no tables; errors and the reasons of an invalid verdict still go to standard error
    #[arg(long, short, help_heading = "Results")]
    quiet: bool,
    #[command(flatten)]
    kept: KeptOptions,
}

/// Where runs and probes are kept, for everything that keeps or reads them.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeptOptions {
    /// The folder for data [default: $XDG_DATA_HOME/doorbuster]
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    data_dir: Option<PathBuf>,
    /// The store: postgres://USER@HOST/DATABASE, or sqlite:FILE [default: doorbuster.db in that folder]
    #[arg(long, value_name = "URL", help_heading = "Results")]
    store: Option<String>,
}

/// Where results go.
#[derive(Clone, Debug)]
pub(crate) struct Outputs {
    /// Files and folders that were asked for.
    pub destinations: Destinations,
    /// Neither progress nor tables.
    pub quiet: bool,
    /// Where the run is kept.
    pub kept: Kept,
}

impl TargetOptions {
    /// What the options say over a plan.
    pub(crate) fn overrides(&self, target: Option<&str>) -> Result<Overrides, Error> {
        let header =
            |text: &String| header_option(text).map_err(|why| Error::Usage(format!("--header: {why}")));
        let read_ca = |path: &PathBuf| {
            let text = read_text(path, "the certificates of --cacert", "check the path")?;
            check_pem(path, &text).map(|()| text)
        };
        let ca_pem = self.cacert.as_ref().map(read_ca).transpose()?;
        Ok(Overrides {
            target: target.map(str::to_owned),
            seed: self.seed,
            insecure: self.insecure,
            headers: self.header.iter().map(header).collect::<Result<_, _>>()?,
            resolve: self.resolve.clone(),
            ca_pem,
            allow_hosts: self.allow_host.clone(),
        })
    }
}

impl RunOptions {
    /// What the options say over a plan.
    pub(crate) fn overrides(&self, target: Option<&str>) -> Result<Overrides, Error> {
        self.target.overrides(target)
    }

    /// Where Amazon Web Services are spoken with, instead of at their own addresses.
    pub(crate) fn aws_endpoint(&self) -> Option<&Url> {
        self.aws.aws_endpoint.as_ref()
    }

    /// Where results go; each place is tried before anything is sent.
    pub(crate) fn outputs(&self) -> Result<Outputs, Error> {
        for path in [&self.json, &self.junit, &self.markdown].into_iter().flatten() {
            try_file(path)?;
        }
        if let Some(path) = &self.hlog {
            std::fs::create_dir_all(path).map_err(|source| Error::Write { path: path.clone(), source })?;
        }
        Ok(Outputs {
            destinations: Destinations {
                json: self.json.clone(),
                junit: self.junit.clone(),
                markdown: self.markdown.clone(),
                hlog: self.hlog.clone(),
            },
            quiet: self.quiet,
            kept: self.kept.kept()?,
        })
    }
}

impl KeptOptions {
    /// Where runs are kept.
    pub(crate) fn kept(&self) -> Result<Kept, Error> {
        let data_dir = runs::data_dir(self.data_dir.as_deref())?;
        let place = Place::of(self.store.as_deref(), &data_dir)?;
        Ok(Kept { data_dir, place })
    }
}

/// Opens a file for writing and leaves what is in it.
pub(crate) fn try_file(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .map_err(|source| Error::Write { path: path.to_owned(), source })?;
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map(drop).map_err(|source| Error::Write { path: path.to_owned(), source })
}
