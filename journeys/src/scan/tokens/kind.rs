//! What the name of an element means for how a page goes on.

/// How the text of an element is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// With character references, and without tags.
    Escapable,
    Text,
    Script,
}

/// What kind of element a name stands for in HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has no end.
    Void,
    Raw(Raw),
    Svg,
    /// What comes then is not told.
    Unknown,
    Other,
}

/// What kind of element `name` stands for.
pub(super) fn kind(name: &[u8]) -> Kind {
    use Kind::{Svg, Unknown, Void};
    const TEXT: Kind = Kind::Raw(Raw::Text);
    const ESCAPABLE: Kind = Kind::Raw(Raw::Escapable);
    let known: &[(&str, Kind)] = match name.first().map_or(0, u8::to_ascii_lowercase) {
        b'a' => &[("area", Void)],
        b'b' => &[("br", Void), ("base", Void), ("basefont", Void), ("bgsound", Void)],
        b'c' => &[("col", Void)],
        b'e' => &[("embed", Void)],
        b'h' => &[("hr", Void)],
        b'i' => &[("img", Void), ("input", Void), ("iframe", TEXT)],
        b'k' => &[("keygen", Void)],
        b'l' => &[("link", Void)],
        b'm' => &[("meta", Void), ("math", Unknown)],
        b'n' => &[("noscript", TEXT), ("noembed", TEXT), ("noframes", TEXT)],
        b'p' => &[("param", Void), ("plaintext", Unknown)],
        b's' => &[("script", Kind::Raw(Raw::Script)), ("svg", Svg), ("source", Void), ("style", TEXT)],
        b't' => &[("title", ESCAPABLE), ("textarea", ESCAPABLE), ("track", Void)],
        b'w' => &[("wbr", Void)],
        b'x' => &[("xmp", TEXT)],
        _ => &[],
    };
    let found = known.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
    found.map_or(Kind::Other, |(_, kind)| *kind)
}

/// Elements of drawings that hold HTML.
pub(super) fn holds_html(name: &[u8]) -> bool {
    ["desc", "title", "foreignobject"].iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Elements of HTML that no drawing holds: where one begins, the drawing has ended.
pub(super) fn ends_drawing(name: &[u8]) -> bool {
    const NAMES: [&str; 44] = [
        "b",
        "big",
        "blockquote",
        "body",
        "br",
        "center",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "hr",
        "i",
        "img",
        "li",
        "listing",
        "menu",
        "meta",
        "nobr",
        "ol",
        "p",
        "pre",
        "ruby",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tt",
        "u",
        "ul",
        "var",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
