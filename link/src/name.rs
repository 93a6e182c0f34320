//! What an agent is called: after its key. So no two have the same name, nobody can ask for another's, and a certificate
//! that is renewed for the same key is the same agent's.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

/// How many bytes of the key's digest are in a name: 80 bits.
const DIGEST_BYTES: usize = 10;

/// The name of the agent with this public key (the SubjectPublicKeyInfo of RFC 5280, in DER).
pub fn agent_name(public_key: &[u8]) -> String {
    let digest = digest(&SHA256, public_key);
    let mut name = "agent-".to_owned();
    for byte in digest.as_ref().iter().take(DIGEST_BYTES) {
        // Writing to a text cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The name in the certificate of an agent.
pub fn certificate_name(agent: &str) -> String {
    format!("{agent}.agents.doorbuster.internal")
}

#[cfg(test)]
mod tests {
    use super::{agent_name, certificate_name};

    #[test]
    fn a_name_follows_from_the_key() {
        // The SHA-256 of nothing begins with e3b0c44298fc1c149afb.
        assert_eq!(agent_name(b""), "agent-e3b0c44298fc1c149afb");
        assert_ne!(agent_name(b"a"), agent_name(b"b"));
        assert_eq!(certificate_name("agent-1"), "agent-1.agents.doorbuster.internal");
    }
}
