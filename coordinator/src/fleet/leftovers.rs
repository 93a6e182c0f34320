//! What a fleet's bucket still holds of earlier commands: other programs, other rounds of probes, other tokens. It goes once its
//! successor is in its place, because nobody needs it any more, and some of it is not for everybody.

use std::collections::BTreeMap;

use super::package::told_by;
use super::place::{Part, Place};
use super::stack::Stacks;
use super::trouble::failed;
use crate::Error;
use crate::aws::bucket::Bucket;

/// How many digits of a hash are in a key.
const HASH_DIGITS: usize = 16;
/// What lies beside each other for agents on EC2.
const OF_EC2: [&str; 3] = ["doorbuster", "ca.pem", "tokens"];

/// Removes what no stack of the region names any more.
///
/// # Errors
/// What is there is not to be known, or could not be removed.
pub(super) async fn remove(place: &Place, stacks: &Stacks<'_>, bucket: &Bucket) -> Result<(), Error> {
    let mut named = Vec::new();
    for part in [Part::Fleet, Part::Probes] {
        let found = Box::pin(stacks.find(part)).await?.unwrap_or_default();
        named.extend(names(&found.parameters));
    }
    let mut unneeded = Vec::new();
    for prefix in ["agent/", "ec2/", "probes/"] {
        let keys = Box::pin(bucket.keys(prefix)).await;
        let keys = keys.map_err(|failure| failed(place, "listing what is left of before", &failure))?;
        unneeded.extend(keys.into_iter().filter(|key| is_ours(key) && !is_needed(key, &named)));
    }
    if unneeded.is_empty() {
        return Ok(());
    }
    let removed = Box::pin(bucket.delete_all(&unneeded)).await;
    removed.map_err(|failure| failed(place, "removing what is left of before", &failure))?;
    place.say(&format!("{} objects of before are removed", unneeded.len()));
    Ok(())
}

/// What a stack's parameters name in the bucket.
fn names(parameters: &BTreeMap<String, String>) -> Vec<String> {
    let keys = ["AgentKey", "ProgramKey", "ProbeKey"].map(|name| parameters.get(name));
    keys.into_iter().flatten().filter(|key| !key.is_empty()).cloned().collect()
}

/// Whether a stack names this object, or the program that it lies beside.
fn is_needed(key: &str, named: &[String]) -> bool {
    let folder = |key: &str| key.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    named.iter().any(|name| name == key || name.starts_with("ec2/") && folder(name) == folder(key))
}

/// Whether commands of this program put it there: others may keep what they like.
fn is_ours(key: &str) -> bool {
    let is_hash = |text: &str| text.len() == HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = key.split('/').collect();
    match parts[..] {
        ["agent", _] => told_by(key).is_some(),
        ["probes", name] => name.strip_suffix(".json").is_some_and(is_hash),
        ["ec2", folder, name] => is_hash(folder) && OF_EC2.contains(&name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_stack_names_goes_and_what_is_not_ours_stays() {
        let hash = "0123456789abcdef";
        let (agent, probe) = (format!("agent/0.1.0-x86-64-{hash}.zip"), format!("probes/{hash}.json"));
        let program = format!("ec2/{hash}/doorbuster");
        let parameters = [("AgentKey", &agent), ("ProbeKey", &probe), ("ProgramKey", &program)];
        let parameters = parameters.map(|(name, key)| (name.to_owned(), key.clone()));
        let empty = BTreeMap::from([("AgentKey".to_owned(), String::new())]);
        assert!(names(&empty).is_empty());
        let named = names(&BTreeMap::from(parameters));
        for key in [&agent, &probe, &program, &format!("ec2/{hash}/tokens"), &format!("ec2/{hash}/ca.pem")] {
            assert!(is_ours(key) && is_needed(key, &named), "{key}");
        }
        let other = "fedcba9876543210";
        for key in [
            format!("agent/0.1.0-x86-64-{other}.zip"),
            format!("probes/{other}.json"),
            format!("ec2/{other}/doorbuster"),
            format!("ec2/{other}/tokens"),
        ] {
            assert!(is_ours(&key) && !is_needed(&key, &named), "{key}");
            assert!(!is_needed(&key, &[]), "{key}");
        }
        for key in ["agent/1.zip", "probes/mine.json", "ec2/mine/tokens", "runs/r/board", "notes", ""] {
            assert!(!is_ours(key), "{key}");
        }
    }
}
