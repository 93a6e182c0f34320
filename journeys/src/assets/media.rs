//! Media queries, as far as they ask about a desktop's screen (CSS Media Queries Level 4, in part).

/// The window, in CSS pixels.
pub(super) const WIDTH: f64 = 1_280.0;
const HEIGHT: f64 = 720.0;
/// What em and rem are relative to here, in CSS pixels.
const EM: f64 = 16.0;

/// Whether a list of media queries matches. What is not understood does not match.
pub(super) fn matches(list: &str) -> bool {
    let list = list.trim().to_ascii_lowercase();
    list.is_empty() || list.split(',').any(|query| query_matches(query.trim()))
}

fn query_matches(query: &str) -> bool {
    let (negated, query) = match query.strip_prefix("not ") {
        Some(rest) => (true, rest),
        None => (false, query.strip_prefix("only ").unwrap_or(query)),
    };
    let met = query.split(" and ").all(|part| part_matches(part.trim()));
    met != negated
}

fn part_matches(part: &str) -> bool {
    let Some(feature) = part.strip_prefix('(').and_then(|part| part.strip_suffix(')')) else {
        return matches!(part, "all" | "screen");
    };
    let (name, value) = match feature.split_once(':') {
        Some((name, value)) => (name.trim(), value.trim()),
        None => (feature.trim(), ""),
    };
    let compare =
        |test: fn(f64, f64) -> bool, own: f64| length(value).is_some_and(|wanted| test(own, wanted));
    match name {
        "min-width" => compare(|own, wanted| own >= wanted, WIDTH),
        "max-width" => compare(|own, wanted| own <= wanted, WIDTH),
        "min-height" => compare(|own, wanted| own >= wanted, HEIGHT),
        "max-height" => compare(|own, wanted| own <= wanted, HEIGHT),
        "width" | "height" | "color" | "hover" | "any-hover" if value.is_empty() => true,
        "orientation" => value == "landscape",
        "hover" | "any-hover" => value == "hover",
        "pointer" | "any-pointer" => value == "fine",
        "prefers-color-scheme" => value == "light",
        "prefers-reduced-motion" => value == "no-preference",
        "max-resolution" => density(value).is_some_and(|most| most >= 1.0),
        "min-resolution" | "-webkit-min-device-pixel-ratio" => {
            density(value).is_some_and(|least| least <= 1.0)
        }
        _ => false,
    }
}

/// A length in CSS pixels.
pub(super) fn length(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.trim().parse().ok()?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "px" => 1.0,
        "em" | "rem" => EM,
        "vw" => WIDTH / 100.0,
        "vh" => HEIGHT / 100.0,
        "" if number == 0.0 => 1.0,
        _ => return None,
    };
    Some(number * factor)
}

fn density(text: &str) -> Option<f64> {
    let number = |unit: &str| text.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
    number("dppx")
        .or_else(|| number("dpi").map(|dpi| dpi / 96.0))
        .or_else(|| number("x"))
        .or_else(|| text.parse().ok())
}
