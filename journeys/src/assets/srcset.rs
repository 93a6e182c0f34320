//! Which of several images a browser takes: `srcset` and `sizes` (HTML standard, section 4.8.4.3), one device pixel to
//! a CSS pixel.

use super::media::{WIDTH, length, matches};

/// The most candidates of one image that are looked at.
const CANDIDATES_MAX: usize = 100;

struct Candidate<'a> {
    url: &'a str,
    density: f64,
}

/// The address that is taken from `srcset`, with `sizes` and the `src` beside it.
pub(super) fn choose<'a>(srcset: &'a str, sizes: &str, src: Option<&'a str>) -> Option<&'a str> {
    let slot = size(sizes);
    let mut has_widths = false;
    let mut candidates = Vec::new();
    for (url, descriptor) in parse(srcset) {
        let density = match descriptor.split_at_checked(descriptor.len().saturating_sub(1)) {
            None | Some(("", "")) => 1.0,
            Some((number, "x")) => match number.parse::<f64>() {
                Ok(density) if density >= 0.0 => density,
                _ => continue,
            },
            Some((number, "w")) => match number.parse::<u32>() {
                Ok(width) if width > 0 => {
                    has_widths = true;
                    f64::from(width) / slot
                }
                _ => continue,
            },
            Some(_) => continue,
        };
        candidates.push(Candidate { url, density });
    }
    let has_one = candidates.iter().any(|candidate| candidate.density == 1.0);
    if !has_widths
        && !has_one
        && let Some(url) = src.filter(|src| !src.trim().is_empty())
    {
        candidates.push(Candidate { url, density: 1.0 });
    }
    candidates.sort_by(|left, right| left.density.total_cmp(&right.density));
    candidates.dedup_by(|later, earlier| later.density == earlier.density);
    pick(&candidates)
}

/// Chromium's choice for one device pixel to a CSS pixel: the least dense image that is dense enough.
fn pick<'a>(candidates: &[Candidate<'a>]) -> Option<&'a str> {
    let enough = candidates.iter().find(|candidate| candidate.density >= 1.0);
    enough.or(candidates.last()).map(|candidate| candidate.url)
}

/// The candidates with their descriptors.
fn parse(srcset: &str) -> Vec<(&str, &str)> {
    let mut rest = srcset;
    let mut candidates = Vec::new();
    let is_blank = |c: char| c.is_ascii_whitespace();
    while candidates.len() < CANDIDATES_MAX {
        rest = rest.trim_start_matches(|c: char| is_blank(c) || c == ',');
        if rest.is_empty() {
            break;
        }
        let end = rest.find(is_blank).unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        if bare.len() < url.len() {
            candidates.push((bare, ""));
            rest = after;
            continue;
        }
        let end = descriptor_end(after);
        candidates.push((url, after[..end].trim()));
        rest = &after[end..];
    }
    candidates
}

/// Where a descriptor ends: at a comma outside parentheses.
fn descriptor_end(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// How wide the image is to be, in CSS pixels: the first size whose condition matches.
fn size(sizes: &str) -> f64 {
    for entry in split(sizes) {
        let entry = entry.trim();
        let begin = entry.rfind([' ', ')']).map_or(0, |at| at + 1);
        let (condition, width) = entry.split_at(begin);
        if let Some(width) = length(width).filter(|width| *width >= 0.0)
            && matches(condition.trim())
        {
            return width.max(1.0);
        }
    }
    WIDTH
}

/// The entries of `sizes`: commas within parentheses separate nothing.
fn split(sizes: &str) -> Vec<&str> {
    let (mut entries, mut rest) = (Vec::new(), sizes);
    while !rest.is_empty() && entries.len() < CANDIDATES_MAX {
        let end = descriptor_end(rest);
        entries.push(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or("");
    }
    entries
}
