//! Programs of a few bytes, and keys in a folder of their own.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("doorbuster-joining-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.join("program");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn joining(&self, url: &str) -> Joining {
        let path = self.write(&file(X86_64, "GLIBC_2.34"));
        let program = Program::read(Some(&path)).unwrap();
        Joining { agents: 3, url: url.to_owned(), pki: self.0.join("pki"), program }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const X86_64: u16 = 62;
const ARM64: u16 = 183;

/// A file that says for which machine it is, and that it needs one version of one library.
fn file(machine: u16, version: &str) -> Vec<u8> {
    let mut file = vec![0; 224];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01");
    put(18, &machine.to_le_bytes());
    // Behind the head two sections of 64 bytes each: names, and which versions are needed.
    put(40, &64_u64.to_le_bytes());
    put(58, &64_u16.to_le_bytes());
    put(60, &2_u16.to_le_bytes());
    put(64 + 24, &224_u64.to_le_bytes());
    put(128 + 4, &0x6fff_fffe_u32.to_le_bytes());
    put(128 + 24, &192_u64.to_le_bytes());
    // One library with one version, whose name is the first.
    put(192 + 2, &1_u16.to_le_bytes());
    put(192 + 8, &16_u32.to_le_bytes());
    file.extend_from_slice(version.as_bytes());
    file.push(0);
    file
}

#[test]
fn what_instances_can_run_is_taken() {
    let folder = Folder::new();
    for (bytes, expected) in [
        (file(X86_64, "GLIBC_2.34"), "x86-64"),
        (file(ARM64, "GLIBC_2.17"), "arm64"),
        (file(ARM64, "GCC_9.9"), "arm64"),
    ] {
        let program = Program::read(Some(&folder.write(&bytes))).unwrap();
        assert_eq!((program.architecture, program.bytes), (expected, bytes));
    }
}

#[test]
fn what_instances_cannot_run_is_refused() {
    let folder = Folder::new();
    for (bytes, expected) in [
        (file(X86_64, "GLIBC_2.35"), "it needs glibc 2.35, and instances have 2.34"),
        (file(ARM64, "GLIBC_2.100"), "it needs glibc 2.100, and instances have 2.34"),
        (file(8, "GLIBC_2.17"), "it is no program of Linux for x86-64 or arm64"),
        (b"#!/bin/sh\n".to_vec(), "it is no program of Linux for x86-64 or arm64"),
    ] {
        let refused = Program::read(Some(&folder.write(&bytes))).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        let told = refused.to_string();
        assert!(told.contains(expected) && told.contains("--program"), "{told}");
    }
    let missing = Program::read(Some(&folder.0.join("nothing"))).unwrap_err().to_string();
    assert!(missing.contains("check the path"), "{missing}");
}

#[test]
fn agents_are_given_program_authority_and_tokens() {
    let folder = Folder::new();
    let made = folder.joining("https://coordinator.example.com:7443").files("shop-1-eu-west-2").unwrap();
    let refused = folder.joining("nowhere").files("shop-1-eu-west-2").unwrap_err();
    assert!(refused.to_string().contains("no address"), "{refused}");
    let hosts = std::fs::read_to_string(folder.0.join("pki/hosts")).unwrap();
    assert_eq!(hosts, "coordinator.example.com\n");
    let keys: Vec<&str> = made.files.iter().map(|(key, _)| key.rsplit('/').next().unwrap()).collect();
    assert_eq!(keys, ["doorbuster", "ca.pem", "tokens"]);
    assert_eq!(made.files[0].0, made.program_key);
    assert_eq!(made.files[0].1, file(X86_64, "GLIBC_2.34"));
    assert!(String::from_utf8_lossy(&made.files[1].1).contains("BEGIN CERTIFICATE"));
    assert_eq!(made.files[2].1.iter().filter(|byte| **byte == b'\n').count(), 3 + SPARE);
}

#[test]
fn a_coordinator_has_a_name_or_an_address_of_either_kind() {
    let folder = Folder::new();
    for (url, expected) in [
        ("https://load.example.com:7443", "load.example.com"),
        ("https://192.0.2.7:7443/", "192.0.2.7"),
        ("https://[2001:DB8::1]:7443", "2001:db8::1"),
    ] {
        folder.joining(url).files("shop-1-eu-west-2").unwrap();
        let hosts = std::fs::read_to_string(folder.0.join("pki/hosts")).unwrap();
        assert_eq!(hosts.lines().last(), Some(expected), "{url}");
    }
}

#[test]
fn a_region_has_the_tokens_of_two_uploads_at_most() {
    let folder = Folder::new();
    let joining = folder.joining("https://load.example.com:7443");
    let kept = || std::fs::read_to_string(folder.0.join("pki/tokens")).unwrap().lines().count();
    for _ in 0..4 {
        joining.files("shop-1-eu-west-2").unwrap();
    }
    assert_eq!(kept(), 2 * (3 + SPARE));
    joining.files("shop-1-us-east-1").unwrap();
    assert_eq!(kept(), 3 * (3 + SPARE));
}
