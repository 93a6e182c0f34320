//! Reads the parts of a `multipart/form-data` body (RFC 7578).

use super::archive::Post;

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) file: Option<File>,
}

/// What a part says of the file that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) mime: String,
}

impl Part {
    /// True for a file that somebody chose; browsers send an empty part where nobody did.
    pub(super) fn is_file(&self) -> bool {
        self.file.as_ref().is_some_and(|file| !file.name.is_empty())
    }
}

/// The parts of what was sent: of its text, or else of the fields that the browser listed.
pub(super) fn of_post(post: &Post) -> Vec<Part> {
    let parts = boundary(&post.mime).map(|boundary| parts(&post.text, boundary)).unwrap_or_default();
    if !parts.is_empty() {
        return parts;
    }
    let part = |param: &super::archive::Param| Part {
        name: param.name.clone(),
        value: param.value.clone(),
        file: param.file.as_ref().map(|name| File {
            name: name.clone(),
            mime: param.mime.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        }),
    };
    post.params.iter().map(part).collect()
}

/// The parts of a body.
pub(super) fn parts(body: &str, boundary: &str) -> Vec<Part> {
    let delimiter = format!("--{boundary}");
    let pieces = body.split(delimiter.as_str()).skip(1).take_while(|piece| !piece.starts_with("--"));
    pieces.filter_map(read_part).collect()
}

fn read_part(piece: &str) -> Option<Part> {
    let (head, value) = piece.split_once("\r\n\r\n").or_else(|| piece.split_once("\n\n"))?;
    let value = value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(value);
    let line = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.trim().eq_ignore_ascii_case(name)).map(|(_, rest)| rest.trim())
    };
    let disposition = line("content-disposition")?;
    let file = parameter(disposition, "filename").map(|name| File {
        name,
        mime: line("content-type").unwrap_or("application/octet-stream").to_owned(),
    });
    Some(Part { name: parameter(disposition, "name")?, value: value.to_owned(), file })
}

/// A parameter in quotes, as browsers write it: `; name="a"`.
fn parameter(line: &str, name: &str) -> Option<String> {
    let parameters = line.split("; ").skip(1);
    let value = parameters.filter_map(|parameter| parameter.split_once('=')).find(|(key, _)| *key == name)?.1;
    let value = value.trim_matches('"');
    Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

fn boundary(mime: &str) -> Option<&str> {
    let mut parameters = mime.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let boundary = parameters.find(|(key, _)| key.eq_ignore_ascii_case("boundary"))?.1;
    Some(boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{File, Part, parts};

    #[test]
    fn parts_are_cut_at_the_boundary() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n\r\n--b--\r\n";
        let file = File { name: "x.png".to_owned(), mime: "image/png".to_owned() };
        assert_eq!(
            parts(body, "b"),
            [
                Part { name: "a".to_owned(), value: "1\r\n2".to_owned(), file: None },
                Part { name: "f".to_owned(), value: String::new(), file: Some(file) },
            ]
        );
        assert!(parts("", "b").is_empty());
    }
}
