//! What a class is recognised by: patterns of paths, of file names and of content types, compiled once.

use super::path::plain_path;

/// The longest pattern in bytes: an automaton's places and its end fit 128 bits.
const BYTES_MAX: usize = 120;

/// Registered top-level media types (IANA), and any of them.
const TYPES: [&str; 12] = [
    "*",
    "application",
    "audio",
    "chemical",
    "example",
    "font",
    "haptics",
    "image",
    "model",
    "multipart",
    "text",
    "video",
];

/// A pattern: of a path where it begins with `/` or `**`, of the last part of a path where it has no `/`
/// (`*.css`), otherwise of a content type (`image/*`).
///
/// `*` stands for any number of characters but `/`, `?` for one, `**` for any number of any; `/**` at the end also
/// matches nothing, and `/**/` also a single `/`. Paths are compared as [`plain_path`] has them, content types without
/// regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    about: About,
    glob: Glob,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Path,
    FileName,
    Type,
}

/// The shapes that nearly all patterns have, and the one that has them all.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Glob {
    Exactly(Box<[u8]>),
    Beginning(Box<[u8]>),
    Ending(Box<[u8]>),
    /// This, or something below it.
    Below(Box<[u8]>),
    Any(Box<Automaton>),
}

/// A pattern's places, all looked for at the same time: time is linear in the text, whatever pattern and text are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Automaton {
    tokens: Box<[Token]>,
    /// Places that may be passed without a byte: `*` and `**`.
    runs: u128,
    /// Places of `**` in `/**/`: who comes there may also stand behind the second slash.
    skips: u128,
    /// Where a text may end.
    ends: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Run,
    DeepRun,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence that says what was found and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = |why: &str| Err(format!("\"{text}\" is not a pattern: {why}"));
        if text.is_empty() || text.len() > BYTES_MAX {
            return fail(&format!("it has 1 to {BYTES_MAX} bytes"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, ';' | '#')) {
            return fail("it is about a path without its query, or a content type without its parameters");
        }
        let about = match text.split_once('/') {
            _ if text.starts_with('/') || text.starts_with("**") => About::Path,
            None => About::FileName,
            Some((kind, _)) if TYPES.contains(&kind.to_ascii_lowercase().as_str()) => About::Type,
            Some(_) => return fail(&format!("a path begins with a slash; write \"/{text}\"")),
        };
        let glob = match about {
            About::Type => Glob::of(text.to_ascii_lowercase().as_bytes()),
            About::Path | About::FileName => Glob::of(plain_path(text).as_bytes()),
        };
        Ok(Self { text: text.into(), about, glob })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is about paths, and matches this one, which is plain.
    pub fn matches_path(&self, path: &str) -> bool {
        match self.about {
            About::Path => self.glob.matches(path.as_bytes()),
            About::FileName => {
                self.glob.matches(path.rsplit_once('/').map_or(path, |(_, name)| name).as_bytes())
            }
            About::Type => false,
        }
    }

    /// Whether it is about content types, and matches this one, which is without its parameters.
    pub fn matches_type(&self, essence: &[u8]) -> bool {
        self.about == About::Type && self.glob.matches(essence)
    }
}

impl Glob {
    /// The simplest shape that `pattern` has. Content types come in lower case, and are compared so.
    fn of(pattern: &[u8]) -> Self {
        let is_plain = |part: &[u8]| !part.iter().any(|byte| matches!(byte, b'*' | b'?'));
        if is_plain(pattern) {
            return Self::Exactly(pattern.into());
        }
        if let Some(root) = pattern.strip_suffix(b"/**").filter(|root| is_plain(root)) {
            return Self::Below(root.into());
        }
        // Only where nothing with a slash can come: after the slash of a type, and in the last part of a path.
        if let Some(kind) =
            pattern.strip_suffix(b"*").filter(|kind| is_plain(kind) && !kind.starts_with(b"/"))
        {
            return Self::Beginning(kind.into());
        }
        if let Some(end) = pattern.strip_prefix(b"*").filter(|end| is_plain(end) && !end.contains(&b'/')) {
            return Self::Ending(end.into());
        }
        Self::Any(Box::new(Automaton::of(pattern)))
    }

    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Exactly(whole) => text == &**whole,
            Self::Beginning(begin) => text.starts_with(begin),
            Self::Ending(end) => text.ends_with(end),
            Self::Below(root) => {
                text.strip_prefix(&**root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
            Self::Any(automaton) => automaton.matches(text),
        }
    }
}

impl Automaton {
    fn of(pattern: &[u8]) -> Self {
        let mut tokens = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.first() {
            let stars = rest.iter().take_while(|byte| **byte == b'*').count();
            let token = match *first {
                b'*' if stars > 1 => Token::DeepRun,
                b'*' => Token::Run,
                b'?' => Token::One,
                byte => Token::Byte(byte),
            };
            tokens.push(token);
            rest = &rest[stars.max(1)..];
        }
        let slash = Some(&Token::Byte(b'/'));
        let (mut runs, mut skips, mut ends) = (0, 0, place(tokens.len()));
        for (position, token) in tokens.iter().enumerate() {
            if matches!(token, Token::Run | Token::DeepRun) {
                runs |= place(position);
            }
            let Some(before) = position.checked_sub(1) else { continue };
            if *token == Token::DeepRun && tokens.get(before) == slash {
                if tokens.get(position + 1) == slash {
                    skips |= place(position);
                } else if position + 1 == tokens.len() {
                    ends |= place(before);
                }
            }
        }
        Self { tokens: tokens.into(), runs, skips, ends }
    }

    fn matches(&self, text: &[u8]) -> bool {
        let mut places = self.with_passed(place(0));
        for byte in text {
            let (mut kept, mut left) = (0_u128, 0_u128);
            let mut open = places;
            while open != 0 {
                let position = open.trailing_zeros();
                let this = 1_u128 << position;
                open &= !this;
                match self.tokens.get(position as usize) {
                    Some(Token::Byte(known)) if known == byte => left |= this,
                    Some(Token::One) if *byte != b'/' => left |= this,
                    Some(Token::Run) if *byte != b'/' => kept |= this,
                    Some(Token::DeepRun) => kept |= this,
                    _ => {}
                }
            }
            let entered = left << 1;
            places = self.with_passed(kept | entered | ((entered & self.skips) << 2));
            if places == 0 {
                return false;
            }
        }
        places & self.ends != 0
    }

    /// These places and those behind runs, which may be empty. No two runs stand side by side.
    fn with_passed(&self, places: u128) -> u128 {
        places | ((places & self.runs) << 1)
    }
}

/// A set of this place alone; patterns end far before the last bit.
fn place(position: usize) -> u128 {
    u32::try_from(position).ok().and_then(|position| 1_u128.checked_shl(position)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        pattern.matches_path(text) || pattern.matches_type(text.as_bytes())
    }

    #[test]
    fn patterns_match_what_people_mean() {
        for (pattern, matching, others) in [
            ("/cart/**", "/cart /cart/ /cart/add /cart/a/b", "/cartoons /a/cart /Cart /"),
            ("/**", "/ /a /a/b", ""),
            ("**", "/ /a/b", ""),
            ("/", "/", "/a"),
            ("/p/*", "/p/1 /p/", "/p /p/1/2"),
            ("/p/*/reviews", "/p/1/reviews", "/p/1/2/reviews /p/reviews"),
            ("/a/**/z", "/a/z /a/b/z /a/b/c/z /a//z", "/az /a/b/zz /ab/z"),
            ("/**/cart/**", "/cart /cart/1 /en/cart /en/gb/cart/1", "/cartoons /en/carts"),
            ("*.css", "/x.css /a/b/x.css /.css", "/x.css/y /css /x.css2"),
            ("robots.txt", "/robots.txt /a/robots.txt", "/robots.txt/a /xrobots.txt"),
            ("app-*.js", "/app-1.js /s/app-.js", "/app-1.css /xapp-1.js"),
            ("/v?/x", "/v1/x", "/v/x /v10/x /v//x"),
            ("image/*", "image/png image/svg+xml", "imagex/png /image/png"),
            ("text/html", "text/html", "text/htmlx /text/html"),
            ("application/*+json", "application/ld+json", "application/json"),
            ("*/*", "text/html", "text /text/html"),
        ] {
            for text in matching.split(' ') {
                assert!(matches(pattern, text), "{pattern} is to match {text}");
            }
            for text in others.split(' ').filter(|text| !text.is_empty()) {
                assert!(!matches(pattern, text), "{pattern} is not to match {text}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = format!("/{}", "a".repeat(BYTES_MAX));
        for (text, part) in [
            ("", "1 to 120 bytes"),
            (long.as_str(), "1 to 120 bytes"),
            ("static/**", "write \"/static/**\""),
            ("/a b", "without its query"),
            ("text/html; charset=utf-8", "without its parameters"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        let pattern = Pattern::parse("IMAGE/*").unwrap();
        assert!(pattern.matches_type(b"image/png") && !pattern.matches_path("/image/png"));
        assert_eq!(pattern.text(), "IMAGE/*");
    }

    #[test]
    fn a_hostile_path_costs_little() {
        let pattern = Pattern::parse("/**a*b**a*b**a*b?c").unwrap();
        assert!(!pattern.matches_path(&format!("/{}", "ab".repeat(20_000))));
    }

    /// What patterns mean, letter by letter.
    fn plainly(pattern: &[u8], text: &[u8]) -> bool {
        let behind = |text: &[u8], skipped: &dyn Fn(&u8) -> bool, pattern: &[u8]| {
            let most = text.iter().take_while(|byte| skipped(byte)).count();
            (0..=most).any(|many| plainly(pattern, &text[many..]))
        };
        match pattern {
            [] => text.is_empty(),
            b"/**" => text.is_empty() || text.starts_with(b"/"),
            [b'/', b'*', b'*', b'/', ..] => {
                text.starts_with(b"/")
                    && (plainly(&pattern[3..], text) || behind(&text[1..], &|_| true, &pattern[3..]))
            }
            [b'*', b'*', rest @ ..] => behind(text, &|_| true, rest),
            [b'*', rest @ ..] => behind(text, &|byte| *byte != b'/', rest),
            [b'?', rest @ ..] => text.first().is_some_and(|byte| *byte != b'/') && plainly(rest, &text[1..]),
            [first, rest @ ..] => text.first() == Some(first) && plainly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn every_shape_means_the_same(pattern in "/(a|b|/|[?]|[*][*]?(a|b|/)){0,6}([*][*]?)?", text in "/[ab/]{0,8}") {
            let read = Pattern::parse(&pattern).unwrap();
            prop_assert_eq!(read.matches_path(&text), plainly(pattern.as_bytes(), text.as_bytes()));
            let automaton = Automaton::of(pattern.as_bytes());
            prop_assert_eq!(automaton.matches(text.as_bytes()), plainly(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn no_text_panics(pattern in "\\PC{0,130}", text in "\\PC{0,40}") {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let _ = (pattern.matches_path(&text), pattern.matches_type(text.as_bytes()));
            }
        }
    }
}
