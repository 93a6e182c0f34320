//! The access log: one line per answer, written in batches so that a disk never paces the shop.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;

use crate::error::Error;
use crate::shared::Shared;

/// How often the shop writes out what has gathered.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// What may gather before it is written out of turn.
const BUFFER_BYTES_MAX: usize = 1 << 20;

/// Lines of `region method path status bytes`, status `000` when the viewer left before the answer.
#[derive(Debug)]
pub(crate) struct AccessLog {
    file: File,
    buffer: Shared<String>,
    failed_writes: AtomicU64,
}

impl AccessLog {
    /// Creates the file, or empties it.
    pub(crate) fn create(path: &Path) -> Result<AccessLog, Error> {
        let file = File::create(path).map_err(|source| Error::AccessLog { path: path.to_owned(), source })?;
        Ok(AccessLog { file, buffer: Shared::default(), failed_writes: AtomicU64::new(0) })
    }

    pub(crate) fn add(&self, region: &str, method: &Method, path: &str, status: u16, bytes: usize) {
        let mut buffer = self.buffer.lock();
        // Writing to a string cannot fail.
        let _ = writeln!(buffer, "{region} {method} {path} {status:03} {bytes}");
        if buffer.len() > BUFFER_BYTES_MAX {
            self.write_out(&mut buffer);
        }
    }

    pub(crate) fn flush(&self) {
        self.write_out(&mut self.buffer.lock());
    }

    /// How many batches could not be written; their lines are lost.
    pub(crate) fn failed_writes(&self) -> u64 {
        self.failed_writes.load(Ordering::Relaxed)
    }

    fn write_out(&self, buffer: &mut String) {
        if !buffer.is_empty() && (&self.file).write_all(buffer.as_bytes()).is_err() {
            self.failed_writes.fetch_add(1, Ordering::Relaxed);
        }
        buffer.clear();
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}
