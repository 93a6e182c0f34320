//! Rules about the tree itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::util::root;

/// Who may import whom, tests aside: the package, and which of ours it may depend on.
const IMPORTS: [(&str, &[&str]); 11] = [
    ("doorbuster-notation", &[]),
    ("doorbuster-model", &["doorbuster-notation"]),
    ("doorbuster-journeys", &["doorbuster-notation"]),
    ("doorbuster-wire", &["doorbuster-model"]),
    ("doorbuster-link", &[]),
    (
        "doorbuster-agent",
        &[
            "doorbuster-journeys",
            "doorbuster-link",
            "doorbuster-model",
            "doorbuster-notation",
            "doorbuster-wire",
        ],
    ),
    (
        "doorbuster-coordinator",
        &[
            "doorbuster-journeys",
            "doorbuster-link",
            "doorbuster-model",
            "doorbuster-notation",
            "doorbuster-wire",
        ],
    ),
    ("doorbuster-shop", &[]),
    ("doorbuster", &["doorbuster-agent", "doorbuster-coordinator", "doorbuster-shop"]),
    ("xtask", &[]),
    ("doorbuster-bench", &[]),
];

/// What a package must not even reach through others.
const BANNED: [(&str, &[&str]); 5] = [
    ("doorbuster-model", &["tokio", "hyper", "prost"]),
    ("doorbuster-wire", &["tokio", "hyper"]),
    ("doorbuster-journeys", &["tokio", "hyper", "prost"]),
    ("doorbuster-agent", &["axum", "sqlx", "clap", "goose", "aws-config"]),
    ("doorbuster-coordinator", &["goose"]),
];

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // Only what this platform needs is downloaded, so only that can be looked at offline.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            &platform,
            "--manifest-path",
        ])
        .arg(root().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Package id → name, and package id → ids of what it depends on outside of tests and build scripts.
fn graph(metadata: &Value) -> (BTreeMap<String, String>, BTreeMap<String, Vec<String>>) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let names = packages.map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let normal = |dep: &Value| dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap().iter();
    let edges = nodes
        .map(|node| {
            let deps = node["deps"].as_array().unwrap().iter().filter(|dep| normal(dep));
            (text(&node["id"]), deps.map(|dep| text(&dep["pkg"])).collect())
        })
        .collect();
    (names, edges)
}

#[test]
fn everybody_imports_only_whom_they_may() {
    let metadata = metadata();
    let (names, edges) = graph(&metadata);
    let ours: BTreeSet<&str> = IMPORTS.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| names[id.as_str().unwrap()].as_str())
        .collect();
    assert_eq!(members, ours, "a new crate needs its line in IMPORTS");
    for (id, name) in names.iter().filter(|(_, name)| ours.contains(name.as_str())) {
        let allowed = IMPORTS.iter().find(|(known, _)| known == name).unwrap().1;
        for imported in edges[id].iter().map(|id| names[id].as_str()).filter(|name| ours.contains(name)) {
            assert!(allowed.contains(&imported), "{name} must not import {imported}");
        }
        let banned = BANNED.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, banned)| banned);
        let mut reached: BTreeSet<&String> = BTreeSet::new();
        let mut ahead = vec![id];
        while let Some(next) = ahead.pop() {
            if reached.insert(next) {
                ahead.extend(&edges[next]);
            }
        }
        for reached in reached.iter().map(|id| names[*id].as_str()) {
            assert!(!banned.contains(&reached), "{name} reaches {reached}");
        }
    }
}

#[test]
fn heavy_crates_come_in_one_version() {
    let metadata = metadata();
    let (names, edges) = graph(&metadata);
    for heavy in ["hyper", "rustls", "tokio", "h2", "ring", "prost", "clap", "axum"] {
        assert_eq!(names.values().filter(|name| *name == heavy).count(), 1, "{heavy}");
    }
    // AWS's crates know the types of http 0.2 as well, without anything that would send by them.
    let packages = metadata["packages"].as_array().unwrap().iter();
    let is_old = |package: &&Value| {
        package["name"] == "http"
            && package["version"].as_str().is_some_and(|version| version.starts_with("0."))
    };
    let old: BTreeSet<&str> =
        packages.filter(is_old).map(|package| package["id"].as_str().unwrap()).collect();
    for (id, imported) in &edges {
        let is_user = imported.iter().any(|imported| old.contains(imported.as_str()));
        let name = &names[id];
        assert!(!is_user || name.starts_with("aws-") || name == "http-body", "{name} imports http 0.2");
    }
    for unwanted in ["aws-lc-rs", "openssl", "native-tls"] {
        assert!(!names.values().any(|name| name == unwanted), "{unwanted}: one crypto provider is enough");
    }
}

/// The coordinator sends the target nothing. What it does send, figures and notices and what AWS is asked, is sent from here;
/// and tests dial the server that agents join.
const CLIENTS: [&str; 7] = [
    "coordinator/src/aws",
    "coordinator/src/export",
    "coordinator/src/fleet",
    "coordinator/src/launch/join/tests",
    "coordinator/src/launch/lambda",
    "coordinator/src/notify",
    "coordinator/src/preflight/quota.rs",
];

/// What one sends requests by.
const SENDERS: [&str; 9] = [
    "reqwest",
    "TcpStream",
    "TcpSocket",
    "UdpSocket",
    "hyper::client",
    "hyper_util::client",
    "aws_config",
    "aws_sdk_",
    "aws_smithy_",
];

#[test]
fn the_coordinator_s_clients_are_where_they_belong() {
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs")) {
        let name = relative(&path);
        if !name.starts_with("coordinator/src/") || CLIENTS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for sender in SENDERS {
            assert!(!text.contains(sender), "{name} holds \"{sender}\": only {CLIENTS:?} may send anything");
        }
    }
}

/// The tree's own text files.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.is_file() && name != "Cargo.lock" {
                found.push(path);
            }
        }
    }
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn a_file_of_code_fits_in_the_head() {
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs")) {
        let name = relative(&path);
        let text = fs::read_to_string(&path).unwrap();
        // Tests beside the code do not count, nor does generated code.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().count();
        let most = if name.contains("tests") { 800 } else { 500 };
        assert!(
            code <= most || name == "wire/src/proto.rs",
            "{name} has {code} lines; past {most} it wants to be two"
        );
    }
}

#[test]
fn the_tree_speaks_of_itself_alone() {
    // Put together here, so that this file does not hold what it forbids.
    let forbidden =
        [["/work", "/"].concat(), ["/root", "/"].concat(), ["todo", "!("].concat(), ["FIX", "ME"].concat()];
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for word in &forbidden {
            assert!(!text.contains(word.as_str()), "{} holds \"{word}\"", relative(&path));
        }
    }
}

#[test]
fn every_crate_has_the_workspace_s_lints() {
    for path in files().into_iter().filter(|path| path.ends_with("Cargo.toml")) {
        let text = fs::read_to_string(&path).unwrap();
        // Workspaces of their own, and no part of what is shipped.
        let others = [
            "bench/goose/Cargo.toml",
            "agent/fuzz/Cargo.toml",
            "journeys/fuzz/Cargo.toml",
            "model/fuzz/Cargo.toml",
            "wire/fuzz/Cargo.toml",
            "journeys/examples/goose-shop/Cargo.toml",
        ];
        if others.contains(&relative(&path).as_str()) {
            continue;
        }
        assert!(text.contains("[lints]\nworkspace = true"), "{} lacks them", relative(&path));
    }
}
