//! A zip of one program.
//!
//! Sources: PKWARE, APPNOTE.TXT 6.3; RFC 1952. `gzip`, which is on every machine, compresses: what stands between its head and
//! its end is what a zip wants, and the check sum is in its end.

use std::process::{Command, Stdio};

use crate::failure::Failure;

/// The head that gzip writes when it is to keep neither name nor time.
const HEAD_BYTES: usize = 10;
/// Check sum and length.
const END_BYTES: usize = 8;
/// 1980-01-01, so that the same program is the same zip.
const DATE: u16 = 0x0021;
/// Deflate.
const METHOD: u16 = 8;
/// What can unpack it: 2.0, for Deflate.
const VERSION: u16 = 20;
/// Made on Unix.
const MADE_BY: u16 = 3 << 8 | VERSION;
/// A regular file that everybody may read and execute.
const MODE: u32 = 0o100_755 << 16;

/// A zip of this program under this name, with a comment at its end.
pub(crate) fn zip(name: &str, program: &std::path::Path, comment: &str) -> Result<Vec<u8>, Failure> {
    let command = format!("gzip -9 -n -c {}", program.display());
    let unfit = |why: &str| Failure::Unfit { what: command.clone(), why: why.to_owned() };
    let started = Command::new("gzip").args(["-9", "-n", "-c"]).arg(program).stdin(Stdio::null()).output();
    let output = started.map_err(|source| Failure::Start { command: command.clone(), source })?;
    if !output.status.success() {
        return Err(Failure::Ended { command: command.clone(), status: output.status });
    }
    archive(name, &output.stdout, comment).ok_or_else(|| unfit("what it wrote is no gzip of a program"))
}

/// A zip of what gzip wrote.
fn archive(name: &str, gzipped: &[u8], comment: &str) -> Option<Vec<u8>> {
    let is_plain = gzipped.starts_with(&[0x1f, 0x8b, 8, 0]);
    let end = gzipped.len().checked_sub(END_BYTES).filter(|end| is_plain && *end >= HEAD_BYTES)?;
    let (deflated, end) = (&gzipped[HEAD_BYTES..end], &gzipped[end..]);
    let (check_sum, length) = end.split_at(4);
    let short = |length: usize| u16::try_from(length).ok().map(u16::to_le_bytes);
    let long = |length: usize| u32::try_from(length).ok().map(u32::to_le_bytes);
    // What is the same in the entry and in the directory.
    let shared = [
        &[0, 0][..],
        &METHOD.to_le_bytes(),
        &[0, 0],
        &DATE.to_le_bytes(),
        check_sum,
        &long(deflated.len())?,
        length,
        &short(name.len())?,
        &[0, 0],
    ]
    .concat();
    let entry = [&b"PK\x03\x04"[..], &VERSION.to_le_bytes(), &shared, name.as_bytes(), deflated].concat();
    let directory = [
        &b"PK\x01\x02"[..],
        &MADE_BY.to_le_bytes(),
        &VERSION.to_le_bytes(),
        &shared,
        &[0; 6],
        &MODE.to_le_bytes(),
        &[0; 4],
        name.as_bytes(),
    ]
    .concat();
    let end = [
        &b"PK\x05\x06"[..],
        &[0; 4],
        &[1, 0, 1, 0],
        &long(directory.len())?,
        &long(entry.len())?,
        &short(comment.len())?,
        comment.as_bytes(),
    ]
    .concat();
    Some([entry, directory, end].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::succeeds;

    #[test]
    fn others_unpack_it() {
        let folder = std::env::temp_dir().join(format!("doorbuster-xtask-zip-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("program");
        std::fs::write(&program, "#!/bin/sh\nexit 0\n".repeat(1_000)).unwrap();
        let made = zip("bootstrap", &program, "doorbuster-agent 0.1.0 x86-64").unwrap();
        assert_eq!(made, zip("bootstrap", &program, "doorbuster-agent 0.1.0 x86-64").unwrap());
        let archive = folder.join("agent.zip");
        std::fs::write(&archive, &made).unwrap();
        let script = "import os, sys, zipfile\n\
                      z = zipfile.ZipFile(sys.argv[1])\n\
                      assert z.testzip() is None and z.namelist() == ['bootstrap'], z.namelist()\n\
                      assert z.comment == b'doorbuster-agent 0.1.0 x86-64', z.comment\n\
                      assert z.infolist()[0].external_attr >> 16 == 0o100755\n\
                      assert z.read('bootstrap') == open(sys.argv[2], 'rb').read()\n";
        let mut python = Command::new("python3");
        if succeeds(Command::new("python3").arg("--version")) {
            assert!(python.args(["-c", script]).arg(&archive).arg(&program).status().unwrap().success());
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_gzip_did_not_write_is_none() {
        assert_eq!(archive("a", b"", ""), None);
        assert_eq!(archive("a", &[0x1f, 0x8b, 8, 0, 0], ""), None);
        assert_eq!(archive("a", &[0; 40], ""), None);
        assert!(matches!(zip("a", std::path::Path::new("/no/such/program"), ""), Err(Failure::Ended { .. })));
    }
}
