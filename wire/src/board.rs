//! The board: what agents read that nothing can be sent to.

use prost::Message as _;

use crate::convert::read;
use crate::{Error, proto};

/// What everybody who reads it is told. It is written anew when something changes, and whoever reads it finds all that holds
/// now, not what came in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// The lease's counter: a value above every earlier one renews it.
    pub lease: u64,
    /// When second 0 begins, in nanoseconds since 1970, once that is agreed.
    pub start_at_unix_ns: Option<u64>,
    /// Nothing is to be started any more.
    pub stop: bool,
    /// The ids of assignments whose agents are to end at once.
    pub let_go: Vec<String>,
}

impl Board {
    /// The board as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Self { lease, start_at_unix_ns, stop, let_go } = self.clone();
        proto::Board { lease, start_at_unix_ns, stop, let_go }.encode_to_vec()
    }

    /// The board of these bytes.
    ///
    /// # Errors
    /// [`Error::NotAMessage`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let proto::Board { lease, start_at_unix_ns, stop, let_go } = read(bytes)?;
        Ok(Self { lease, start_at_unix_ns, stop, let_go })
    }
}

#[cfg(test)]
mod tests {
    use super::Board;

    #[test]
    fn a_board_survives_the_wire() {
        let let_go = vec!["r-1".to_owned(), "r-2".to_owned()];
        let full = Board { lease: 7, start_at_unix_ns: Some(u64::MAX), stop: true, let_go };
        for board in [Board::default(), Board { start_at_unix_ns: Some(0), ..Board::default() }, full] {
            assert_eq!(Board::decode(&board.encode()), Ok(board));
        }
        assert!(Board::decode(b"<html>").is_err(), "a page that says why there is no board");
    }
}
