//! The way to whoever looks on: a thread of its own writes, because a terminal that is held (Ctrl-S) or a pipe that nobody
//! reads would stop the probe otherwise. Who shows something never waits: what there is no room for is not shown.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How much waits to be written, at most: a few screens.
const WAITING_MAX: usize = 256;
/// How long the last of it is waited for at the end.
const END_WITHIN: Duration = Duration::from_secs(1);

/// Something to be shown.
enum Shown {
    /// A line, which stays.
    Line(String),
    /// The rows of the table, in place of those before.
    Rows(Vec<String>),
}

/// Where it is shown.
pub(crate) enum Display {
    /// Line by line.
    Lines(Box<dyn Write + Send>),
    /// Lines above a table.
    Table(Table),
}

/// A table that is redrawn in a terminal.
#[derive(Default)]
pub(crate) struct Table {
    all: MultiProgress,
    rows: Vec<ProgressBar>,
}

/// The thread that writes.
pub(crate) struct Output {
    /// `None` at the end.
    to: Option<SyncSender<Shown>>,
    /// Closed once the thread has ended.
    over: Receiver<()>,
}

impl Display {
    /// Standard error, line by line. Not through the standard library's lock: whoever is held by it would hold the lock, and
    /// with it whoever has a last word to say.
    pub(crate) fn standard_error() -> Self {
        Self::Lines(match io::stderr().as_fd().try_clone_to_owned() {
            Ok(descriptor) => Box::new(std::fs::File::from(descriptor)),
            Err(_) => Box::new(io::stderr()),
        })
    }

    fn show(&mut self, shown: Shown) {
        match (self, shown) {
            // Where nothing can be written, the probe goes on all the same.
            (Self::Lines(to), Shown::Line(line)) => drop(to.write_all(format!("{line}\n").as_bytes())),
            (Self::Lines(_), Shown::Rows(_)) => {}
            (Self::Table(table), Shown::Line(line)) => drop(table.all.println(line)),
            (Self::Table(table), Shown::Rows(rows)) => table.show(rows),
        }
    }

    fn end(self) {
        if let Self::Table(table) = self {
            table.rows.iter().for_each(ProgressBar::finish_and_clear);
            drop(table.all.clear());
        }
    }
}

impl Table {
    fn show(&mut self, lines: Vec<String>) {
        while self.rows.len() < lines.len() {
            let row = self.all.add(ProgressBar::new_spinner());
            // The template is ours: one that does not parse falls back to the library's own.
            row.set_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            self.rows.push(row);
        }
        for (row, line) in self.rows.iter().zip(lines.into_iter().chain(std::iter::repeat(String::new()))) {
            row.set_message(line);
            row.tick();
        }
    }
}

impl Output {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has none to give.
    pub(crate) fn start(mut display: Display) -> io::Result<Self> {
        let (to, waiting) = sync_channel(WAITING_MAX);
        let (ends, over) = channel::<()>();
        thread::Builder::new().name("output".to_owned()).spawn(move || {
            waiting.into_iter().for_each(|shown| display.show(shown));
            display.end();
            drop(ends);
        })?;
        Ok(Self { to: Some(to), over })
    }

    /// Shows a line; false where there is no room for it.
    pub(crate) fn line(&self, line: String) -> bool {
        self.send(Shown::Line(line))
    }

    /// Shows the table's rows, unless there is no room: then the next ones are as good.
    pub(crate) fn rows(&self, rows: Vec<String>) {
        self.send(Shown::Rows(rows));
    }

    fn send(&self, shown: Shown) -> bool {
        self.to.as_ref().is_some_and(|to| to.try_send(shown).is_ok())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.to = None;
        // What nobody reads is left behind.
        let _ = self.over.recv_timeout(END_WITHIN);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A pipe that nobody reads until the other end of its gate is dropped.
    struct Held {
        gate: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.gate.recv();
            self.written.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Such a display, what opens it, and what was written to it.
    pub(crate) fn held() -> (Display, std::sync::mpsc::Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let (opens, gate) = channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        (Display::Lines(Box::new(Held { gate, written: Arc::clone(&written) })), opens, written)
    }

    #[test]
    fn what_is_shown_is_written_in_order_to_its_end() {
        let (display, opens, written) = held();
        let output = Output::start(display).unwrap();
        for number in 0..100 {
            assert!(output.line(number.to_string()), "there is room");
        }
        drop(opens);
        drop(output);
        let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8_lossy(&written.lock().unwrap()), expected);
    }

    #[test]
    fn who_shows_something_to_nobody_does_not_wait() {
        let (display, opens, written) = held();
        let output = Output::start(display).unwrap();
        let shown = (0..10_000).filter(|number: &u32| output.line(number.to_string())).count();
        assert!((WAITING_MAX..=WAITING_MAX + 1).contains(&shown), "{shown}");
        drop(output);
        assert!(written.lock().unwrap().is_empty(), "it was not waited for without end");
        drop(opens);
    }
}
