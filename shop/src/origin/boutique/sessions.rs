//! Who is in the boutique: sessions whose name changes at login, and the tokens of their forms.

use std::collections::VecDeque;

use super::product::Choice;
use crate::bounded::BoundedMap;
use crate::chance::{Token, TokenSource};
use crate::error::Error;
use crate::origin::cart::Cart;
use crate::origin::catalogue::ProductId;
use crate::origin::sessions::{Address, Delivery};

/// Beyond these, the session that was opened (or logged in) first is forgotten. About 500 bytes each.
const SESSIONS_MAX: usize = 100_000;
/// Tokens of a session that may still come back: one for each page that is open somewhere.
const ISSUED_MAX: usize = 8;
const WISHES_MAX: usize = 20;

/// All open sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    // A session that moved to a new name leaves its place empty, until that place is the oldest.
    sessions: BoundedMap<Token, Option<Box<Session>>>,
    // Empty places among them.
    left: usize,
    tokens: TokenSource,
}

/// One shopper's state between requests.
#[derive(Debug)]
pub(super) struct Session {
    /// Under which the shopper's orders are kept. Unlike the session's name it never changes, and it is
    /// never told to anybody.
    pub(super) owner: Token,
    /// Who logged in, if anybody.
    pub(super) user: Option<String>,
    pub(super) cart: Cart,
    /// How the last thing that went into the cart was chosen.
    pub(super) latest: Option<Box<Choice>>,
    pub(super) address: Option<Box<Address>>,
    pub(super) delivery: Option<Delivery>,
    pub(super) has_newsletter: bool,
    wishes: Vec<ProductId>,
    // Tokens of forms, oldest first.
    issued: VecDeque<Token>,
}

/// What a page is made for.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    pub(super) session: &'a Session,
    /// A fresh token for the forms of that page.
    pub(super) csrf: Token,
    /// The session's name where it is new, and then belongs into a cookie.
    pub(super) opened: Option<Token>,
}

impl Sessions {
    pub(crate) fn new() -> Result<Sessions, Error> {
        Ok(Sessions::with_limit(SESSIONS_MAX, TokenSource::new()?))
    }

    fn with_limit(limit: usize, tokens: TokenSource) -> Sessions {
        Sessions { sessions: BoundedMap::new(limit), left: 0, tokens }
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len().saturating_sub(self.left)
    }

    pub(super) fn find(&mut self, sid: Option<Token>) -> Option<&mut Session> {
        self.sessions.get_mut(&sid?)?.as_deref_mut()
    }

    /// Prepares a page: for the viewer's session, or for a fresh one under a name of ours.
    pub(super) fn visit(&mut self, sid: Option<Token>) -> Visit<'_> {
        let known = sid.filter(|sid| self.sessions.get(sid).is_some_and(Option::is_some));
        let (sid, opened) = match known {
            Some(sid) => (sid, None),
            None => {
                let sid = self.tokens.draw();
                let owner = self.tokens.draw();
                self.keep(sid, Box::new(Session::new(owner)));
                (sid, Some(sid))
            }
        };
        let csrf = self.tokens.draw();
        #[expect(
            clippy::expect_used,
            reason = "found or inserted just above, and the map holds at least one entry"
        )]
        let session = self.find(Some(sid)).expect("the session exists");
        session.issue(csrf);
        Visit { session, csrf, opened }
    }

    /// The session that a form came from, if the token is one of its own and comes for the first time.
    pub(super) fn submitted(&mut self, sid: Option<Token>, csrf: &str) -> Option<&mut Session> {
        let session = self.find(sid)?;
        session.take_back(csrf).then_some(session)
    }

    /// Logs a user in: the session goes on under a new name, which belongs into a cookie. The old name
    /// is worth nothing from then on, nor is any form that was open.
    pub(super) fn log_in(&mut self, sid: Option<Token>, user: &str) -> Option<Token> {
        let mut session = self.sessions.get_mut(&sid?)?.take()?;
        self.left += 1;
        session.user = Some(user.to_owned());
        session.issued.clear();
        let sid = self.tokens.draw();
        self.keep(sid, session);
        Some(sid)
    }

    fn keep(&mut self, sid: Token, session: Box<Session>) {
        if let Some(None) = self.sessions.insert(sid, Some(session)) {
            self.left = self.left.saturating_sub(1);
        }
    }
}

impl Session {
    fn new(owner: Token) -> Session {
        Session {
            owner,
            user: None,
            cart: Cart::default(),
            latest: None,
            address: None,
            delivery: None,
            has_newsletter: false,
            wishes: Vec::new(),
            issued: VecDeque::new(),
        }
    }

    pub(super) fn wishes(&self) -> &[ProductId] {
        &self.wishes
    }

    /// Remembers a wish, and forgets the oldest where there are too many.
    pub(super) fn wish(&mut self, product: ProductId) {
        if self.wishes.contains(&product) {
            return;
        }
        if self.wishes.len() >= WISHES_MAX {
            self.wishes.remove(0);
        }
        self.wishes.push(product);
    }

    /// The next order starts afresh, and a second click on the button finds an empty cart.
    pub(super) fn forget_order(&mut self) {
        self.cart = Cart::default();
        self.latest = None;
        self.address = None;
        self.delivery = None;
    }

    fn issue(&mut self, csrf: Token) {
        if self.issued.len() >= ISSUED_MAX {
            self.issued.pop_front();
        }
        self.issued.push_back(csrf);
    }

    /// Whether a token was issued to this session and not taken back before.
    fn take_back(&mut self, csrf: &str) -> bool {
        let csrf = Token::parse(csrf);
        let place = self.issued.iter().position(|issued| Some(*issued) == csrf);
        place.is_some_and(|place| self.issued.remove(place).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::{ISSUED_MAX, Sessions, WISHES_MAX};
    use crate::chance::{Token, TokenSource};

    #[test]
    fn a_token_serves_once() {
        let mut sessions = Sessions::new().unwrap();
        let visit = sessions.visit(None);
        let (sid, first) = (visit.opened, visit.csrf.to_string());
        assert!(sid.is_some());
        let visit = sessions.visit(sid);
        let second = visit.csrf.to_string();
        assert_eq!(visit.opened, None);
        assert!(sessions.submitted(None, &first).is_none());
        assert!(sessions.submitted(sid, "").is_none() && sessions.submitted(sid, &first[1..]).is_none());
        assert!(sessions.submitted(sid, &first).is_some(), "two pages may be open");
        assert!(sessions.submitted(sid, &second).is_some());
        assert!(sessions.submitted(sid, &first).is_none() && sessions.submitted(sid, &second).is_none());
    }

    #[test]
    fn only_the_last_tokens_are_kept() {
        let mut sessions = Sessions::new().unwrap();
        let visit = sessions.visit(None);
        let (sid, oldest) = (visit.opened, visit.csrf.to_string());
        let next = sessions.visit(sid).csrf.to_string();
        for _ in 1..ISSUED_MAX {
            sessions.visit(sid);
        }
        assert!(sessions.submitted(sid, &oldest).is_none());
        assert!(sessions.submitted(sid, &next).is_some());
    }

    #[test]
    fn a_login_moves_the_session() {
        let mut sessions = Sessions::new().unwrap();
        let before = sessions.visit(None).opened;
        let csrf = sessions.visit(before).csrf.to_string();
        let owner = sessions.find(before).unwrap().owner;
        let after = sessions.log_in(before, "amber");
        assert!(after.is_some() && after != before);
        assert!(sessions.find(before).is_none() && sessions.log_in(before, "amber").is_none());
        let session = sessions.find(after).unwrap();
        assert_eq!((session.owner, session.user.as_deref()), (owner, Some("amber")));
        assert!(sessions.submitted(after, &csrf).is_none(), "forms from before are void");
        assert_eq!(sessions.len(), 1);
        assert!(sessions.visit(before).opened.is_some(), "the old name opens nothing");
        assert_eq!(sessions.len(), 2);
    }

    #[test]
    fn empty_places_are_not_counted_and_leave_in_turn() {
        let mut sessions = Sessions::with_limit(3, TokenSource::new().unwrap());
        let mut sid = sessions.visit(None).opened;
        let other = sessions.visit(None).opened;
        for _ in 0..2 {
            sid = sessions.log_in(sid, "amber");
        }
        // The places: the other's, one that was left, and the present one.
        assert_eq!(sessions.len(), 2);
        assert!(sessions.find(sid).is_some() && sessions.find(other).is_some());
        sid = sessions.log_in(sid, "amber");
        assert_eq!(sessions.len(), 1);
        assert!(sessions.find(sid).is_some() && sessions.find(other).is_none());
        let forged = Token::parse("00000000000000000000000000000007");
        assert!(sessions.find(forged).is_none() && sessions.log_in(forged, "amber").is_none());
    }

    #[test]
    fn wishes_are_few_and_different() {
        let mut sessions = Sessions::new().unwrap();
        let sid = sessions.visit(None).opened;
        let session = sessions.find(sid).unwrap();
        session.wish(1);
        session.wish(1);
        assert_eq!(session.wishes(), [1]);
        for product in (2..).take(WISHES_MAX) {
            session.wish(product);
        }
        assert_eq!((session.wishes().len(), session.wishes()[0]), (WISHES_MAX, 2));
    }
}
