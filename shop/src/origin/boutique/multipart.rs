//! `multipart/form-data` as browsers send it for forms without files (RFC 7578): text fields, in order.

use http::StatusCode;

/// More than the largest cart needs: three fields a line, the token and the number of lines.
const FIELDS_MAX: usize = 200;
/// RFC 2046, 5.1.1.
const BOUNDARY_CHARS_MAX: usize = 70;

/// Names and values of a form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

/// Why a body is no form; the words are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MultipartError {
    #[error("This form is sent as multipart/form-data.")]
    ContentType,
    #[error("The form cannot be read.")]
    Malformed,
    #[error("The form has more than {FIELDS_MAX} fields.")]
    TooMany,
}

impl MultipartError {
    pub(super) fn status(self) -> StatusCode {
        match self {
            MultipartError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            MultipartError::Malformed | MultipartError::TooMany => StatusCode::BAD_REQUEST,
        }
    }
}

impl Fields {
    /// Reads a body of that content type.
    pub(super) fn parse(content_type: &str, body: &[u8]) -> Result<Fields, MultipartError> {
        let boundary = boundary_of(content_type).ok_or(MultipartError::ContentType)?;
        let body = std::str::from_utf8(body).map_err(|_| MultipartError::Malformed)?;
        let delimiter = format!("\r\n--{boundary}");
        // Browsers write nothing before the first delimiter, which therefore begins without a new line.
        let mut rest = body.strip_prefix(&delimiter[2..]).ok_or(MultipartError::Malformed)?;
        let mut fields = Vec::new();
        // Two hyphens after the last delimiter; what follows has no meaning.
        while !rest.starts_with("--") {
            if fields.len() >= FIELDS_MAX {
                return Err(MultipartError::TooMany);
            }
            let part = rest.strip_prefix("\r\n").and_then(|rest| rest.split_once(&delimiter));
            let (part, after) = part.ok_or(MultipartError::Malformed)?;
            fields.push(field_of(part).ok_or(MultipartError::Malformed)?);
            rest = after;
        }
        Ok(Fields(fields))
    }

    /// The value of the first field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Fields {
    fn from(pairs: [(&str, &str); N]) -> Fields {
        Fields(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

fn boundary_of(content_type: &str) -> Option<&str> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let has_length = !boundary.is_empty() && boundary.len() <= BOUNDARY_CHARS_MAX;
    has_length.then_some(boundary)
}

/// Name and value of one part. Files are none of ours.
fn field_of(part: &str) -> Option<(String, String)> {
    let (head, value) = part.split_once("\r\n\r\n")?;
    let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?;
    let (kind, parameters) = disposition.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") || parameter(parameters, "filename").is_some() {
        return None;
    }
    Some((parameter(parameters, "name")?.to_owned(), value.to_owned()))
}

/// The value of a parameter, without its quotes. None of our names or boundaries holds a semicolon.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::{FIELDS_MAX, Fields, MultipartError};

    const TYPE: &str = "multipart/form-data; boundary=----xyz";

    fn part(name: &str, value: &str) -> String {
        format!("------xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    #[test]
    fn fields_come_in_order() {
        let body = [part("a", "1"), part("b", ""), part("c", "two\r\nlines -- é"), part("a", "3")].concat();
        let body = format!("{body}------xyz--\r\n");
        let fields = Fields::parse(TYPE, body.as_bytes()).unwrap();
        assert_eq!(fields, Fields::from([("a", "1"), ("b", ""), ("c", "two\r\nlines -- é"), ("a", "3")]));
        assert_eq!((fields.get("a"), fields.get("d")), (Some("1"), None));
        let quoted =
            Fields::parse("Multipart/Form-Data;charset=utf-8; Boundary=\"----xyz\"", body.as_bytes());
        assert_eq!(quoted, Ok(fields));
        assert_eq!(Fields::parse(TYPE, b"------xyz--"), Ok(Fields::default()));
    }

    #[test]
    fn other_headers_do_not_matter() {
        let body = "------xyz\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: form-data; name=a\r\n\r\n1\r\n------xyz--";
        assert_eq!(Fields::parse(TYPE, body.as_bytes()), Ok(Fields::from([("a", "1")])));
    }

    #[test]
    fn anything_else_is_refused() {
        for content_type in
            ["", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary="]
        {
            assert_eq!(Fields::parse(content_type, b"a=1"), Err(MultipartError::ContentType));
        }
        let whole = format!("{}------xyz--", part("a", "1"));
        for end in 0..whole.len() {
            assert_eq!(
                Fields::parse(TYPE, &whole.as_bytes()[..end]),
                Err(MultipartError::Malformed),
                "{end}"
            );
        }
        let file =
            "------xyz\r\ncontent-disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n1\r\n------xyz--";
        for body in [file, "------xyz\r\n\r\n1\r\n------xyz--", "a=1"] {
            assert_eq!(Fields::parse(TYPE, body.as_bytes()), Err(MultipartError::Malformed));
        }
        assert_eq!(Fields::parse(TYPE, b"\xff"), Err(MultipartError::Malformed));
        let many = format!("{}------xyz--", part("a", "1").repeat(FIELDS_MAX + 1));
        assert_eq!(Fields::parse(TYPE, many.as_bytes()), Err(MultipartError::TooMany));
    }
}
