//! What journeys leave for later audits: a line of JSON each, in the folder of the run.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use doorbuster_model::report::Marker;
use serde::Serialize;

use crate::Error;
use crate::prepare::Prepared;

/// The markers of a run; the file is made with the first of them.
pub(crate) struct Markers {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// The first thing that went wrong.
    failed: Option<std::io::Error>,
}

#[derive(Serialize)]
struct Line<'a> {
    region: &'a str,
    journey: &'a str,
    second: u32,
    name: &'a str,
    value: &'a str,
}

impl Markers {
    /// Those of the run that is kept in `folder`: `markers.ndjson`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { path: folder.join("markers.ndjson"), file: None, failed: None }
    }

    /// Keeps what a region's journeys left in a second.
    pub(crate) fn keep(&mut self, prepared: &Prepared, region: usize, second: u32, markers: &[Marker]) {
        if self.failed.is_none()
            && let Err(error) = self.write(prepared, region, second, markers)
        {
            self.failed = Some(error);
        }
    }

    fn write(
        &mut self,
        prepared: &Prepared,
        region: usize,
        second: u32,
        markers: &[Marker],
    ) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(File::create(&self.path)?)),
        };
        let region = prepared.plan.regions.get(region).map_or("", |region| &region.name);
        for marker in markers {
            let journey = prepared.names.journeys.get(usize::from(marker.journey));
            let journey = journey.map_or("", |(name, _)| name);
            let line = Line { region, journey, second, name: &marker.name, value: &marker.value };
            serde_json::to_writer(&mut *file, &line)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Writes out what is left.
    ///
    /// # Errors
    /// When anything could not be written: the run's markers are not complete then.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        let result = self.failed.map_or(flushed, Err);
        result.map_err(|source| Error::Write { path: self.path, source })
    }
}
