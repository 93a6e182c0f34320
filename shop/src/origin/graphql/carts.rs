//! Carts that live behind tokens. There is none before somebody asks for one.

use super::answer::{Code, Refusal};
use super::bearer::Bearer;
use crate::bounded::BoundedMap;
use crate::chance::{Token, TokenSource};
use crate::error::Error;
use crate::origin::cart::Cart;
use crate::origin::sessions::Address;

/// Beyond these, the cart that was created first is forgotten. About 200 bytes each.
const CARTS_MAX: usize = 100_000;

/// All carts, by their tokens.
#[derive(Debug)]
pub(crate) struct Carts {
    carts: BoundedMap<Token, OpenCart>,
    tokens: TokenSource,
}

/// A cart and what its order still needs.
#[derive(Debug)]
pub(super) struct OpenCart {
    pub(super) id: Token,
    /// Whoever has it owns the cart and what is ordered from it.
    pub(super) token: Token,
    pub(super) cart: Cart,
    pub(super) address: Option<Box<Address>>,
}

impl Carts {
    pub(crate) fn new() -> Result<Carts, Error> {
        Ok(Carts { carts: BoundedMap::new(CARTS_MAX), tokens: TokenSource::new()? })
    }

    pub(crate) fn len(&self) -> usize {
        self.carts.len()
    }

    /// An empty cart: its number, and the token that opens it.
    pub(super) fn create(&mut self) -> (Token, Token) {
        let (id, token) = (self.tokens.draw(), self.tokens.draw());
        self.carts.insert(token, OpenCart { id, token, cart: Cart::default(), address: None });
        (id, token)
    }

    /// The cart that the token opens.
    pub(super) fn of(&mut self, token: Option<Token>) -> Option<&mut OpenCart> {
        self.carts.get_mut(&token?)
    }

    /// The cart of that number, for whoever holds its token.
    pub(super) fn find(&mut self, bearer: &Bearer, id: &str) -> Result<&mut OpenCart, Refusal> {
        let open = self.of(bearer.token);
        let open = open.ok_or_else(|| {
            Refusal::new(Code::Unauthenticated, "Send the token of your cart: authorization: Bearer …")
        })?;
        if Token::parse(id) == Some(open.id) {
            Ok(open)
        } else {
            Err(Refusal::new(Code::CartNotFound, "You have no such cart."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bearer, Carts, Code};
    use crate::fault::Switches;

    #[test]
    fn a_cart_opens_to_its_own_token_alone() {
        let mut carts = Carts::new().unwrap();
        let ((one, token), (other, _)) = (carts.create(), carts.create());
        let bearer = |token| Bearer { token, switches: Switches::default() };
        assert_eq!(carts.find(&bearer(Some(token)), &one.to_string()).unwrap().id, one);
        for (token, id, code) in [
            (Some(token), other, Code::CartNotFound),
            (Some(one), one, Code::Unauthenticated),
            (None, one, Code::Unauthenticated),
        ] {
            assert_eq!(carts.find(&bearer(token), &id.to_string()).unwrap_err().code, code);
        }
        assert_eq!(carts.len(), 2);
    }
}
