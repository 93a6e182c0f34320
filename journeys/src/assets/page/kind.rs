//! What browsers of today run, show, play and wait with.

use lol_html::html_content::Element;

use crate::assets::media;
use crate::html::attribute;

/// Whether a video or audio fetches something before anybody plays it.
pub(super) fn wants_media(element: &Element<'_, '_>) -> bool {
    element.has_attribute("autoplay")
        || attribute(element, "preload").is_none_or(|preload| !preload.eq_ignore_ascii_case("none"))
}

pub(super) fn is_lazy(element: &Element<'_, '_>) -> bool {
    attribute(element, "loading").is_some_and(|loading| loading.eq_ignore_ascii_case("lazy"))
}

/// Whether a browser of today runs a script of this type (HTML standard, section 4.12.1).
pub(super) fn is_script(element: &Element<'_, '_>) -> bool {
    let kind = attribute(element, "type");
    let is_module = kind.as_ref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("module"));
    if element.has_attribute("nomodule") && !is_module {
        return false;
    }
    let kind = match (kind, attribute(element, "language")) {
        (Some(kind), _) => kind.trim().to_ascii_lowercase(),
        (None, Some(language)) if !language.is_empty() => format!("text/{}", language.to_ascii_lowercase()),
        (None, _) => String::new(),
    };
    is_module
        || matches!(
            kind.as_str(),
            "" | "text/javascript"
                | "application/javascript"
                | "application/ecmascript"
                | "application/x-ecmascript"
                | "application/x-javascript"
                | "text/ecmascript"
                | "text/javascript1.0"
                | "text/javascript1.1"
                | "text/javascript1.2"
                | "text/javascript1.3"
                | "text/javascript1.4"
                | "text/javascript1.5"
                | "text/jscript"
                | "text/livescript"
                | "text/x-ecmascript"
                | "text/x-javascript"
        )
}

pub(super) fn is_preloaded(element: &Element<'_, '_>) -> bool {
    let read = |name: &str| attribute(element, name).unwrap_or_default().to_ascii_lowercase();
    let kind = read("type");
    media::matches(&read("media"))
        && match read("as").as_str() {
            "style" => kind.is_empty() || is_css(&kind),
            "image" => kind.is_empty() || is_image(&kind),
            "script" | "font" | "fetch" | "track" => true,
            _ => false,
        }
}

pub(super) fn is_css(kind: &str) -> bool {
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/css")
}

/// Whether browsers of today show images of this type.
pub(super) fn is_image(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "" | "image/avif"
            | "image/webp"
            | "image/png"
            | "image/apng"
            | "image/jpeg"
            | "image/jpg"
            | "image/gif"
            | "image/svg+xml"
            | "image/bmp"
            | "image/x-icon"
            | "image/vnd.microsoft.icon"
    )
}

/// Whether browsers of today play this type.
pub(super) fn is_media(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (family, format) = kind.split_once('/').unwrap_or((&kind, ""));
    match family {
        "" => true,
        "video" => matches!(format, "mp4" | "webm" | "ogg" | "quicktime" | "x-m4v"),
        "audio" => matches!(
            format,
            "mpeg" | "mp3" | "mp4" | "aac" | "ogg" | "webm" | "wav" | "wave" | "x-wav" | "flac"
        ),
        _ => false,
    }
}
