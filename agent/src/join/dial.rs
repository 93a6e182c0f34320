//! Dialling the coordinator until there is a stream: with a certificate, which is got and renewed on the way.

use std::time::Duration;

use doorbuster_link::RENEW_BEFORE;
use doorbuster_wire::Enrol;
use tokio::time::sleep;
use tonic::Code;
use url::Url;

use super::backoff::{Backoff, chance};
use super::calls::{Connection, Stream, words};
use super::identity::Identity;
use super::say;
use super::state::State;
use crate::Error;

/// How long before its end the certificate of an agent at work is renewed at the latest.
const RENEW_BEFORE_AT_WORK: Duration = Duration::from_secs(3_600);

/// Who dials.
pub(super) struct Dialer {
    coordinator: Url,
    state: State,
    tokens: Vec<String>,
    backoff: Backoff,
    /// The agent's name.
    pub name: String,
    /// What was said last, so that a coordinator that is away for a night does not fill a log.
    said: String,
}

impl Dialer {
    /// A dialler for this coordinator.
    ///
    /// # Errors
    /// What people must mend first.
    pub(super) fn new(coordinator: Url, state: State, tokens: Vec<String>) -> Result<Self, Error> {
        let identity = Identity::read(&state)?;
        if tokens.is_empty() && !identity.holds_for(Duration::ZERO) {
            return Err(Error::Join(NO_TOKEN.to_owned()));
        }
        Ok(Self {
            coordinator,
            state,
            tokens,
            backoff: Backoff::default(),
            name: identity.name,
            said: String::new(),
        })
    }

    /// Dials until there is a stream; `calmly` waits before the first attempt, too.
    pub(super) async fn dial(mut self, calmly: bool) -> (Self, Stream) {
        if calmly {
            sleep(self.backoff.next(chance())).await;
        }
        loop {
            match self.attempt().await {
                Ok(stream) => return (self, stream),
                Err(why) => self.say_once(&why),
            }
            sleep(self.backoff.next(chance())).await;
        }
    }

    /// The stream did well: the next wait is short again.
    pub(super) fn did_well(&mut self) {
        self.backoff.reset();
    }

    /// Whether the certificate is to be renewed now, by an agent that is at work or is not.
    pub(super) fn is_due(&self, is_at_work: bool) -> bool {
        Identity::read(&self.state).is_ok_and(|identity| !identity.holds_for(renewed_before(is_at_work)))
    }

    /// Says something, unless it was said last.
    pub(super) fn say_once(&mut self, text: &str) {
        if self.said != text {
            text.clone_into(&mut self.said);
            say(text);
        }
    }

    async fn attempt(&mut self) -> Result<Stream, String> {
        let mut identity = self.identity()?;
        if !identity.holds_for(Duration::ZERO) {
            self.enrol(&identity).await?;
            identity = self.identity()?;
            if !identity.holds_for(Duration::ZERO) {
                return Err(
                    "the certificate that the coordinator gave does not hold; compare both clocks".to_owned()
                );
            }
        } else if !identity.holds_for(RENEW_BEFORE) {
            match self.renew(&identity).await {
                Ok(()) => identity = self.identity()?,
                // The one that there is still holds; the next attempt is ten minutes away.
                Err(why) => self.say_once(&format!("renewing the certificate: {why}")),
            }
        }
        self.open(&identity, true).await?.join().await
    }

    fn identity(&self) -> Result<Identity, String> {
        Identity::read(&self.state).map_err(|why| why.to_string())
    }

    async fn open(&self, identity: &Identity, shows_certificate: bool) -> Result<Connection, String> {
        let tls = identity.tls(shows_certificate).map_err(|why| why.to_string())?;
        Connection::open(&self.coordinator, tls).await
    }

    /// Hands in one token after the other until one is good. Where many agents have the same list, all but the first few would
    /// ask for each token that others have used, did they not begin at different places.
    async fn enrol(&self, identity: &Identity) -> Result<(), String> {
        if self.tokens.is_empty() {
            return Err(NO_TOKEN.to_owned());
        }
        let mut connection = self.open(identity, false).await?;
        let csr_pem = identity.request().map_err(|why| why.to_string())?;
        let mut refused = String::new();
        for token in from(&self.tokens, chance()) {
            let message = Enrol { token: token.clone(), csr_pem: csr_pem.clone() };
            match connection.enrol(&message).await {
                Ok(enrolled) => {
                    let kept = self.state.keep_certificate(&enrolled.certificate_pem, &enrolled.ca_pem);
                    return kept.map_err(|why| why.to_string());
                }
                Err(status) if status.code() == Code::PermissionDenied => refused = words(&status),
                Err(status) => return Err(format!("enrolling: {}", words(&status))),
            }
        }
        Err(format!("enrolling: {refused}"))
    }

    async fn renew(&self, identity: &Identity) -> Result<(), String> {
        let mut connection = self.open(identity, true).await?;
        let csr_pem = identity.request().map_err(|why| why.to_string())?;
        let enrolled = connection.renew(csr_pem).await.map_err(|status| words(&status))?;
        let kept = self.state.keep_certificate(&enrolled.certificate_pem, &enrolled.ca_pem);
        kept.map_err(|why| why.to_string())
    }
}

/// How long before its end a certificate is renewed. That takes a new stream, which whoever sends load would rather not need:
/// it waits for the end of its assignment, as long as it can.
fn renewed_before(is_at_work: bool) -> Duration {
    if is_at_work { RENEW_BEFORE_AT_WORK } else { RENEW_BEFORE }
}

/// All tokens, from a place on that `chance` (from all of its values) chooses, and around.
fn from(tokens: &[String], chance: u32) -> impl Iterator<Item = &String> {
    let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    let first = chance.checked_rem(count).and_then(|first| usize::try_from(first).ok()).unwrap_or(0);
    let (before, after) = tokens.split_at(first);
    after.iter().chain(before)
}

/// What an agent lacks that cannot prove who it is.
const NO_TOKEN: &str = "this agent has no certificate that holds, and no token to get one; make a token with `doorbuster fleet pki FOLDER --tokens 1` where the coordinator is, and give it with --token or --token-file";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::link::LOOK_EVERY;
    use super::*;

    fn tokens(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("token-{number}")).collect()
    }

    #[test]
    fn whoever_is_at_work_renews_as_late_as_it_can() {
        assert_eq!(renewed_before(false), RENEW_BEFORE);
        let at_work = renewed_before(true);
        assert!(
            at_work < RENEW_BEFORE && at_work >= 3 * LOOK_EVERY,
            "there are attempts enough: {at_work:?}"
        );
    }

    #[test]
    fn every_token_is_tried_once_wherever_one_begins() {
        for count in [1, 2, 7] {
            let tokens = tokens(count);
            for chance in (0..10).chain([u32::MAX / 2, u32::MAX]) {
                let tried: Vec<&String> = from(&tokens, chance).collect();
                assert_eq!(tried.len(), count);
                assert_eq!(tried.iter().collect::<BTreeSet<_>>().len(), count, "{chance}: {tried:?}");
            }
        }
        assert_eq!(from(&[], 7).count(), 0);
    }

    #[test]
    fn many_agents_of_one_list_ask_seldom_for_what_others_have_used() {
        let tokens = tokens(300);
        let mut used: BTreeSet<&String> = BTreeSet::new();
        let mut asked = 0;
        for agent in 0..200_u32 {
            // Spread as chance is, and the same at each run of this test.
            let chance = agent.wrapping_mul(2_654_435_769).rotate_left(16);
            let tried = from(&tokens, chance).take_while(|token| !used.insert(*token)).count();
            asked += tried + 1;
        }
        assert_eq!(used.len(), 200, "each found one");
        assert!(asked < 2_000, "{asked} times, where from the first on it is 20,100");
    }
}
