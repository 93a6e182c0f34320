//! What a program needs of the machine that it runs on, read from its file.
//!
//! Sources: System V ABI, "Object Files"; Linux Standard Base, "Symbol Versioning" (`.gnu.version_r`).

/// For which processors a program is, as the file's header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    /// x86-64.
    X86_64,
    /// arm64.
    Arm64,
}

/// What a program needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Its processors.
    pub(crate) machine: Machine,
    /// The newest version of glibc that it asks for, as major and minor; `None`: it asks for none.
    pub(crate) glibc: Option<(u32, u32)>,
}

/// A section that lists which versions of libraries are needed.
const VERSIONS_NEEDED: u32 = 0x6fff_fffe;

/// Reads what a program of 64 bits, little endian, needs; `None` where the file is none.
pub(crate) fn needs(file: &[u8]) -> Option<Needs> {
    // 2: 64 bits, 1: little endian.
    if !file.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let machine = match half(file, 18)? {
        62 => Machine::X86_64,
        183 => Machine::Arm64,
        _ => return None,
    };
    let (table, size, count) =
        (offset(file, 40)?, usize::from(half(file, 58)?), usize::from(half(file, 60)?));
    let section = |number: usize| table.checked_add(number.checked_mul(size)?);
    let mut glibc = None;
    for at in (0..count).filter_map(section) {
        if word(file, at + 4)? == VERSIONS_NEEDED {
            let names = section(usize::try_from(word(file, at + 40)?).ok()?)?;
            let names = offset(file, names + 24)?;
            glibc = glibc.max(newest(file, offset(file, at + 24)?, names)?);
        }
    }
    Some(Needs { machine, glibc })
}

/// The newest version of glibc in a list of needed versions, whose names lie behind `names`.
fn newest(file: &[u8], mut library: usize, names: usize) -> Option<Option<(u32, u32)>> {
    let mut newest = None;
    loop {
        let mut version = library + offset_32(file, library + 8)?;
        for _ in 0..half(file, library + 2)? {
            let name = text(file, names + offset_32(file, version + 8)?)?;
            newest = newest.max(glibc(name));
            version += offset_32(file, version + 12)?;
        }
        match offset_32(file, library + 12)? {
            0 => return Some(newest),
            next => library += next,
        }
    }
}

/// `GLIBC_2.34` as its numbers.
fn glibc(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn half(file: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?))
}

fn word(file: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?))
}

fn offset_32(file: &[u8], at: usize) -> Option<usize> {
    usize::try_from(word(file, at)?).ok()
}

/// An offset of 64 bits. What lies beyond the file is none, so that adding to one cannot overflow.
fn offset(file: &[u8], at: usize) -> Option<usize> {
    let value = u64::from_le_bytes(file.get(at..at + 8)?.try_into().ok()?);
    usize::try_from(value).ok().filter(|value| *value <= file.len())
}

fn text(file: &[u8], at: usize) -> Option<&str> {
    let bytes = file.get(at..)?;
    std::str::from_utf8(&bytes[..bytes.iter().position(|byte| *byte == 0)?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_is_read() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needs = needs(&own).unwrap();
        let expected = if cfg!(target_arch = "aarch64") { Machine::Arm64 } else { Machine::X86_64 };
        assert_eq!(needs.machine, expected);
        // Rust's standard library wants 2.17 at least.
        assert!(needs.glibc.is_none_or(|glibc| ((2, 17)..(3, 0)).contains(&glibc)), "{needs:?}");
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(glibc("GLIBC_2.2.5"), Some((2, 2)));
        assert!(glibc("GLIBC_2.34") > glibc("GLIBC_2.4"));
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
        assert_eq!(glibc("GCC_3.0"), None);
    }

    #[test]
    fn what_is_no_program_is_none_and_nothing_panics() {
        assert_eq!(needs(b""), None);
        assert_eq!(needs(b"#!/bin/sh\n"), None);
        let mut own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for length in (0..200).chain([own.len() / 2, own.len() - 10]) {
            let _ = needs(&own[..length]);
        }
        for at in (16..64).chain(own.len() - 2_000..own.len()) {
            let right = std::mem::replace(&mut own[at], 0xff);
            let _ = needs(&own);
            own[at] = right;
        }
    }
}
