//! What each second of a run came to, written as it comes: a file in the run's folder, until the store has it.
//!
//! It begins with the names of the journeys. Then, for each second of each region: the region's name, the second, and a tick
//! in the frame in which agents send it. Lengths stand before names, big-endian.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use doorbuster_model::threshold::Names;
use doorbuster_model::{Health, Report, Tally, Tick};
use doorbuster_wire::{FRAME_BYTES_MAX, FromAgent, Message};

use crate::store::TickRow;

const FILE: &str = "seconds";
/// The longest text of all journeys' names; a plan has fewer.
const NAMES_BYTES_MAX: usize = 16 << 20;

/// The file while it is written.
pub(crate) struct Spool {
    folder: PathBuf,
    regions: Vec<String>,
    journeys: String,
    file: Option<BufWriter<File>>,
    /// The first thing that went wrong.
    failed: Option<io::Error>,
}

impl Spool {
    /// Nothing is written before the first second.
    pub(crate) fn new(folder: &Path, names: &Names) -> Self {
        Self {
            folder: folder.to_owned(),
            regions: names.regions.clone(),
            // Texts alone can always be written.
            journeys: serde_json::to_string(&names.journeys).unwrap_or_default(),
            file: None,
            failed: None,
        }
    }

    /// Keeps what a second came to in the region at a position.
    pub(crate) fn keep(&mut self, region: usize, second: u32, tally: Tally) {
        if self.failed.is_none()
            && !tally.is_empty()
            && let Err(error) = self.write(region, second, tally)
        {
            self.failed = Some(error);
        }
    }

    fn write(&mut self, region: usize, second: u32, tally: Tally) -> io::Result<()> {
        let tick = Tick { second, tally, health: Health::default() };
        let frame = FromAgent::Report(Report::Tick(Box::new(tick))).encode().map_err(io::Error::other)?;
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = BufWriter::new(File::create(self.folder.join(FILE))?);
                text(&mut file, &self.journeys)?;
                none.insert(file)
            }
        };
        text(file, self.regions.get(region).map_or("", String::as_str))?;
        file.write_all(&second.to_be_bytes())?;
        file.write_all(&frame)
    }

    /// The names of journeys and of their steps by position, as JSON.
    pub(crate) fn journeys(&self) -> &str {
        &self.journeys
    }

    /// Writes out what is left.
    ///
    /// # Errors
    /// When anything could not be written: seconds are missing then.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        self.failed.map_or(flushed, Err)
    }
}

fn text(file: &mut impl Write, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(text.as_bytes())
}

/// The file while it is read, second by second.
pub(crate) struct Seconds {
    /// The names of journeys and of their steps by position, as JSON.
    pub(crate) journeys: String,
    input: BufReader<File>,
}

impl Seconds {
    /// Opens the file of a run's folder, where there is one.
    pub(crate) fn open(folder: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(folder.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut input = BufReader::new(file);
        let journeys = read_text(&mut input)?;
        Ok(Some(Self { journeys, input }))
    }

    /// Removes the file of a run's folder.
    pub(crate) fn remove(folder: &Path) -> io::Result<()> {
        fs::remove_file(folder.join(FILE))
    }

    fn read(&mut self) -> io::Result<TickRow> {
        let region = read_text(&mut self.input)?;
        let second = read_number(&mut self.input)?;
        let bytes = read_bytes(&mut self.input, FRAME_BYTES_MAX)?;
        Ok(TickRow { second, region, bytes })
    }
}

impl Iterator for Seconds {
    type Item = TickRow;

    /// The next of them. A file that breaks off, as that of a killed coordinator does, ends there.
    fn next(&mut self) -> Option<TickRow> {
        self.read().ok()
    }
}

fn read_number(input: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}

fn read_bytes(input: &mut impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let length = read_number(input)? as usize;
    if length > bytes_max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_text(input: &mut impl Read) -> io::Result<String> {
    let bytes = read_bytes(input, NAMES_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::folders::tests::{DataFolder, ID};

    fn names() -> Names {
        Names {
            regions: vec!["tokyo".to_owned(), "london".to_owned()],
            journeys: vec![("browse".to_owned(), vec!["home".to_owned()])],
            ..Names::default()
        }
    }

    fn tally(started: u64) -> Tally {
        let mut tally = Tally::default();
        tally.arrivals.started = started;
        tally
    }

    #[test]
    fn what_is_kept_is_read_again_up_to_where_it_breaks_off() {
        let data = DataFolder::new();
        let folder = data.run(ID);
        let mut spool = Spool::new(&folder, &names());
        for second in 0..3 {
            spool.keep(0, second, tally(10 + u64::from(second)));
            spool.keep(1, second, tally(0));
        }
        spool.finish().unwrap();
        let seconds = Seconds::open(&folder).unwrap().unwrap();
        assert_eq!(seconds.journeys, r#"[["browse",["home"]]]"#);
        let rows: Vec<TickRow> = seconds.collect();
        assert_eq!(rows.len(), 3, "nothing is written of what came to nothing");
        for (second, row) in (0..).zip(&rows) {
            assert_eq!((row.second, row.region.as_str()), (second, "tokyo"));
            let FromAgent::Report(Report::Tick(tick)) = FromAgent::decode(&row.bytes).unwrap() else {
                panic!("it is no tick");
            };
            assert_eq!((tick.second, tick.tally.arrivals.started), (second, 10 + u64::from(second)));
        }
        let path = folder.join(FILE);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(Seconds::open(&folder).unwrap().unwrap().count(), 2);
        Seconds::remove(&folder).unwrap();
        assert!(Seconds::open(&folder).unwrap().is_none());
    }

    #[test]
    fn a_folder_that_is_gone_is_told_at_the_end() {
        let data = DataFolder::new();
        let mut spool = Spool::new(&data.0.join("nowhere"), &names());
        spool.keep(0, 0, tally(1));
        spool.keep(0, 1, tally(1));
        assert_eq!(spool.finish().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
