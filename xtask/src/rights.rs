//! What tests need that no package brings: what this system lets its user do. It is tried.

use std::ffi::OsStr;
use std::fs::File;
use std::process::Command;

use crate::run::succeeds;

/// Networks of one's own, with links between them.
pub(crate) const NETWORK_NAMESPACES: &str = "network-namespaces";
/// Devices behind which a program is the network.
pub(crate) const NETWORK_TAPS: &str = "network-taps";

/// Whether this user has the right of that name; no for whatever is none. Programs are looked for along `path`.
pub(crate) fn has(name: &str, path: &OsStr) -> bool {
    match name {
        NETWORK_NAMESPACES => may_make_networks(path),
        NETWORK_TAPS => File::options().read(true).write(true).open("/dev/net/tun").is_ok(),
        _ => false,
    }
}

/// Makes a network, a link into it and a bridge, and takes them away again.
fn may_make_networks(path: &OsStr) -> bool {
    // A device's name has 15 letters at most.
    let name = format!("xt{}", std::process::id());
    let ip = |words: String| succeeds(Command::new("ip").args(words.split(' ')).env("PATH", path));
    let may = ip(format!("netns add {name}"))
        && ip(format!("link add {name}a type veth peer name {name}b netns {name}"))
        && ip(format!("link add {name}c type bridge"));
    // The link goes with its network. What was not made is not there to be taken away.
    ip(format!("link del {name}c"));
    ip(format!("netns del {name}"));
    may
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rights_are_had() {
        let nowhere = OsStr::new("/no/such/folder");
        assert!(!has("sh", OsStr::new("/bin")));
        assert!(!has(NETWORK_NAMESPACES, nowhere), "without `ip` there is nobody to make one");
    }
}
