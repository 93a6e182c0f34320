//! Letters: what people are to be told, one for each notifier. The only place that knows notifiers.

use std::sync::Arc;

use doorbuster_model::Plan;
use doorbuster_model::slo::{AlertStatus, Notice, Severity};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::letters::Letters;
use super::wall::Wall;
use crate::Error;
use crate::notify::postman::{Postman, Trouble};
use crate::notify::{Client, Environment, Notifier, Notifiers};
use crate::store::NewLetter;

/// Whoever is told, and who carries the letters.
pub(crate) struct Tellers {
    names: Vec<String>,
    stop: oneshot::Sender<()>,
    postman: JoinHandle<()>,
    /// Why letters stay where they are, as far as the outbox goes.
    trouble: watch::Receiver<Trouble>,
    letters: Arc<Letters>,
    /// How many letters it was said of that they were delivered before they were written.
    early: u64,
}

impl Tellers {
    /// Starts to deliver what the store holds for the plan's notifiers, and reminds those who forget of what fires.
    ///
    /// # Errors
    /// When one of them cannot be used: a secret that the environment lacks, an address that is none.
    pub(crate) fn start(
        plan: &Plan,
        letters: Letters,
        wall: &Wall,
        aws_endpoint: Option<&Url>,
        firing: &[Notice],
    ) -> Result<Self, Error> {
        let environment = Environment::of_process();
        let notifiers = Notifiers::new(&plan.name, plan, &environment, aws_endpoint, Client::new()?)?;
        let names = notifiers.iter().map(Notifier::name).map(str::to_owned).collect();
        let wall = wall.clone();
        let clock = Arc::new(move || wall.now_s());
        let letters = Arc::new(letters);
        let postman = Postman::new(&plan.name, Arc::clone(&letters), notifiers, clock, firing);
        let trouble = postman.trouble();
        let (stop, stopped) = oneshot::channel();
        let postman = tokio::spawn(postman.run(async move {
            let _ = stopped.await;
        }));
        Ok(Self { names, stop, postman, trouble, letters, early: 0 })
    }

    /// The letters that these notices come to, written at `now_s`.
    pub(crate) fn letters(&self, notices: &[Notice], now_s: i64) -> Vec<NewLetter> {
        let to_all = |notice: &Notice| -> Vec<NewLetter> {
            self.names.iter().filter_map(|name| letter(name, notice, now_s)).collect()
        };
        notices.iter().flat_map(to_all).collect()
    }

    /// What is to be said of the outbox, where that has changed since the last call.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        // It fails only once the postman is gone, who says nothing then.
        if self.trouble.has_changed().unwrap_or(false) {
            lines.push(line(&self.trouble.borrow_and_update()));
        }
        let early = self.letters.early();
        if early > self.early {
            let letters = early - self.early;
            lines.push(format!("letters delivered though they could not be saved: {letters}"));
            self.early = early;
        }
        lines
    }

    /// Carries no more letters; those that are left wait in the store.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        // It ends by itself within two seconds; a panic of it was reported when it happened.
        let _ = self.postman.await;
    }
}

/// What is said of an outbox.
fn line(trouble: &Trouble) -> String {
    match (&trouble.reading, &trouble.writing) {
        (Some(why), _) => format!("letters cannot be read at present: {why}"),
        (None, Some(why)) => format!("what becomes of letters cannot be noted at present: {why}"),
        (None, None) => "letters are read and noted again".to_owned(),
    }
}

/// A notice to one notifier; `None` never comes, since a notice is text and numbers.
fn letter(notifier: &str, notice: &Notice, now_s: i64) -> Option<NewLetter> {
    Some(NewLetter {
        notifier: notifier.to_owned(),
        incident: notice.incident.clone(),
        sequence: notice.sequence,
        payload: serde_json::to_string(notice).ok()?,
        // Not when it came about: a silence may have held it back for days.
        made_at_s: now_s,
        is_urgent: notice.status == AlertStatus::Firing && notice.severity == Severity::Page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_with_the_outbox_is_said_and_so_is_its_end() {
        let (reading, writing) = (Some("it is locked".to_owned()), Some("it is full".to_owned()));
        let both = Trouble { reading, writing: writing.clone() };
        assert_eq!(line(&both), "letters cannot be read at present: it is locked");
        let one = Trouble { reading: None, writing };
        assert_eq!(line(&one), "what becomes of letters cannot be noted at present: it is full");
        assert_eq!(line(&Trouble::default()), "letters are read and noted again");
    }
}
