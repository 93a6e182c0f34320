//! Who is shopping: one session per `sid` cookie, in memory.

use super::cart::Cart;
use crate::bounded::BoundedMap;
use crate::chance::{Token, TokenSource};
use crate::error::Error;

/// Beyond these, the session that was opened first is forgotten. About 200 bytes each.
pub(super) const SESSIONS_MAX: usize = 250_000;

/// All open sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    sessions: BoundedMap<Token, Session>,
    tokens: TokenSource,
}

/// One shopper's state between requests.
#[derive(Debug)]
pub(super) struct Session {
    /// Must come back with every form of the cart and the checkout.
    pub(super) csrf: Token,
    pub(super) cart: Cart,
    pub(super) address: Option<Box<Address>>,
    pub(super) delivery: Option<Delivery>,
}

/// Where an order goes; every field is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) street: String,
    pub(super) city: String,
    pub(super) postcode: String,
    pub(super) country: String,
}

/// How an order goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Standard,
    Express,
}

impl Delivery {
    pub(super) const ALL: [Delivery; 2] = [Delivery::Standard, Delivery::Express];

    /// The one of that name.
    pub(super) fn named(name: &str) -> Option<Delivery> {
        Delivery::ALL.into_iter().find(|delivery| delivery.name() == name)
    }

    /// The value in the form.
    pub(super) fn name(self) -> &'static str {
        match self {
            Delivery::Standard => "standard",
            Delivery::Express => "express",
        }
    }

    pub(super) fn price_cents(self) -> u64 {
        match self {
            Delivery::Standard => 0,
            Delivery::Express => 990,
        }
    }
}

impl Sessions {
    pub(super) fn new() -> Result<Sessions, Error> {
        Ok(Sessions { sessions: BoundedMap::new(SESSIONS_MAX), tokens: TokenSource::new()? })
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn find(&mut self, sid: Option<Token>) -> Option<&mut Session> {
        self.sessions.get_mut(&sid?)
    }

    /// The viewer's session, or a fresh one under a token of ours: never under one that the viewer
    /// brought and we do not know. The token is given where it is new, and then belongs into a cookie.
    pub(super) fn find_or_open(&mut self, sid: Option<Token>) -> (&mut Session, Option<Token>) {
        let known = sid.filter(|sid| self.sessions.get(sid).is_some());
        let (sid, opened) = match known {
            Some(sid) => (sid, None),
            None => {
                let sid = self.tokens.draw();
                let csrf = self.tokens.draw();
                let session = Session { csrf, cart: Cart::default(), address: None, delivery: None };
                self.sessions.insert(sid, session);
                (sid, Some(sid))
            }
        };
        #[expect(
            clippy::expect_used,
            reason = "found or inserted just above, and the map holds at least one entry"
        )]
        let session = self.sessions.get_mut(&sid).expect("the session exists");
        (session, opened)
    }
}

impl Session {
    /// Whether a form came from a page of this very session.
    pub(super) fn issued(&self, csrf: &str) -> bool {
        Token::parse(csrf) == Some(self.csrf)
    }
}

#[cfg(test)]
mod tests {
    use super::Sessions;
    use crate::chance::Token;

    #[test]
    fn an_unknown_token_is_replaced() {
        let mut sessions = Sessions::new().unwrap();
        let forged = Token::parse("00000000000000000000000000000007");
        let (_, opened) = sessions.find_or_open(forged);
        assert!(opened.is_some() && opened != forged);
        let (session, again) = sessions.find_or_open(opened);
        assert_eq!(again, None);
        let csrf = session.csrf.to_string();
        assert!(session.issued(&csrf) && !session.issued("") && !session.issued(&csrf[1..]));
        assert_eq!(sessions.len(), 1);
        assert!(sessions.find(forged).is_none() && sessions.find(None).is_none());
    }
}
