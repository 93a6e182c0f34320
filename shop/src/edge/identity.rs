//! By which names an edge is known: its airport, its host, and an identifier per answer.

use http::HeaderValue;

use crate::chance::{Dice, content_hash};

/// Region → point of presence: the airport's three letters and a number.
const POPS: [(&str, &str); 10] = [
    ("tokyo", "NRT57-P1"),
    ("london", "LHR50-P2"),
    ("new-york", "JFK50-P4"),
    ("frankfurt", "FRA56-P2"),
    ("mumbai", "BOM78-P1"),
    ("paris", "CDG52-P3"),
    ("sao-paulo", "GRU50-P1"),
    ("singapore", "SIN2-P4"),
    ("stockholm", "ARN52-P1"),
    ("sydney", "SYD62-P2"),
];
/// For regions that are not listed: no airport has these letters.
const POP_UNKNOWN: &str = "XXX50-P1";
/// Los Angeles, which is near to no region of ours: where a price class or a resolver sends viewers by mistake.
const POP_ELSEWHERE: &str = "LAX50-P3";

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The names of one edge.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) pop: HeaderValue,
    pub(super) pop_name: &'static str,
    pub(super) via: HeaderValue,
}

impl Identity {
    pub(super) fn new(region: &str) -> Identity {
        let pop_name = POPS.iter().find(|(name, _)| *name == region).map_or(POP_UNKNOWN, |(_, pop)| *pop);
        Identity::at(pop_name, region)
    }

    /// An edge that is no region's.
    pub(super) fn elsewhere() -> Identity {
        Identity::at(POP_ELSEWHERE, "elsewhere")
    }

    fn at(pop_name: &'static str, host: &str) -> Identity {
        let host = content_hash(host.as_bytes());
        let via = HeaderValue::from_str(&format!("1.1 {host}.cloudfront.net (CloudFront)"));
        Identity {
            pop: HeaderValue::from_static(pop_name),
            pop_name,
            via: via.unwrap_or(HeaderValue::from_static("1.1 cloudfront.net (CloudFront)")),
        }
    }
}

/// An `X-Amz-Cf-Id`: 54 random characters and the two that end them.
pub(super) fn request_id(dice: &Dice) -> String {
    let mut id = String::with_capacity(56);
    for _ in 0..6 {
        let mut bits = dice.roll();
        for _ in 0..9 {
            // Six bits always name one of the 64.
            id.push(char::from(BASE64_URL[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    id.push_str("==");
    id
}

#[cfg(test)]
mod tests {
    use super::{Identity, request_id};
    use crate::chance::Dice;

    #[test]
    fn an_edge_is_known_by_its_airport() {
        assert_eq!(Identity::new("tokyo").pop_name, "NRT57-P1");
        assert_eq!(Identity::new("atlantis").pop_name, "XXX50-P1");
        assert_ne!(Identity::new("tokyo").via, Identity::new("london").via);
        let elsewhere = Identity::elsewhere();
        assert!(super::POPS.iter().all(|(_, pop)| pop[..3] != elsewhere.pop_name[..3]));
    }

    #[test]
    fn every_answer_has_its_own_identifier() {
        let dice = Dice::new(1);
        let (one, two) = (request_id(&dice), request_id(&dice));
        assert!(one != two && one.len() == 56 && one.ends_with("=="));
    }
}
