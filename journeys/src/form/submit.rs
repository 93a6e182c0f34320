//! What a browser sends when a form is submitted.

use bytes::Bytes;
use http::Method;
use url::{Url, form_urlencoded};

use super::{BodyEncoding, Control, Direction, Form, Kind, Method as FormMethod, Sanitizer};
use crate::charset::Charset;
use crate::encoding::Encoding;
use crate::failure::{Failure, quote};

/// What separates the parts of a multipart body. Browsers draw it; a fixed one keeps bodies the same in every run.
pub(crate) const BOUNDARY: &str = "----DoorbusterFormBoundaryh3Pz7nQ2";

/// What somebody fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// These values, instead of those that the page gives; none removes the field.
    Values(Vec<Box<str>>),
    /// A box checked or not.
    Checked(bool),
}

/// A request that submits a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submission {
    pub(crate) method: Method,
    /// An absolute http or https URL without fragment.
    pub(crate) url: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Option<Bytes>,
}

/// A field as it is sent.
struct Entry<'a> {
    name: &'a str,
    value: &'a str,
    is_file: bool,
}

impl Form {
    /// The request that submits the form once `filled` is filled in.
    ///
    /// # Errors
    /// A failure when the form leads nowhere that can be requested.
    pub(crate) fn submit(mut self, filled: &[(String, Filled)]) -> Result<Submission, Failure> {
        if self.is_blocked {
            let message = "the form's first button is disabled, so that a browser sends nothing; name another with button";
            return Err(Failure::new(message.to_owned()));
        }
        for (name, filled) in filled {
            self.fill(name, filled);
        }
        let pressed = self.pressed.and_then(|position| match &self.controls.get(position)?.kind {
            Kind::Button(button) => Some(Box::clone(button)),
            _ => None,
        });
        let pressed = pressed.unwrap_or_default();
        let method = pressed.method.unwrap_or(self.method);
        let encoding = pressed.encoding.unwrap_or(self.encoding);
        let action = pressed.action.as_deref().or(self.action.as_deref());
        let mut url = self.url(action)?;
        let (x, y);
        let mut entries = Vec::new();
        (x, y) = self.pressed_names();
        for (position, control) in self.controls.iter().enumerate() {
            control.entries(self.pressed == Some(position), (&x, &y), self.charset, &mut entries);
        }
        match method {
            FormMethod::Dialog => Err(Failure::new("the form closes a dialog, and sends nothing".to_owned())),
            FormMethod::Get => {
                url.set_query(Some(&url_encoded(&entries, self.charset)));
                Ok(Submission { method: Method::GET, url: url.into(), content_type: None, body: None })
            }
            FormMethod::Post => {
                let (content_type, body) = match encoding {
                    BodyEncoding::UrlEncoded => {
                        ("application/x-www-form-urlencoded".to_owned(), url_encoded(&entries, self.charset))
                    }
                    BodyEncoding::Multipart => {
                        (format!("multipart/form-data; boundary={BOUNDARY}"), multipart(&entries))
                    }
                    BodyEncoding::Plain => ("text/plain".to_owned(), plain(&entries)),
                };
                Ok(Submission {
                    method: Method::POST,
                    url: url.into(),
                    content_type: Some(content_type),
                    body: Some(self.charset.encoded(body)),
                })
            }
        }
    }

    fn url(&self, action: Option<&str>) -> Result<Url, Failure> {
        let page = Url::parse(&self.page)
            .map_err(|why| Failure::new(format!("{} is no address: {why}", quote(&self.page))))?;
        // No action, or an empty one: the page itself, whatever its base.
        let mut url = match action.map(str::trim).filter(|action| !action.is_empty()) {
            None => page,
            Some(action) => {
                let base = self.base.as_deref().and_then(|base| page.join(base).ok()).unwrap_or(page);
                let options = Url::options().base_url(Some(&base));
                // Browsers write the query of an address in the encoding of its page, and the path in UTF-8.
                let url = options
                    .encoding_override(Some(&|query| self.page_charset.encode_query(query)))
                    .parse(action);
                url.map_err(|why| {
                    Failure::new(format!("the form goes to {}, which is no address: {why}", quote(action)))
                })?
            }
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::new(format!(
                "the form goes to {}, which is neither http nor https",
                quote(url.as_str())
            )));
        }
        url.set_fragment(None);
        Ok(url)
    }

    /// The names of the two fields that a pressed image sends.
    fn pressed_names(&self) -> (String, String) {
        let name =
            self.pressed.and_then(|position| self.controls.get(position)).map_or("", |control| &control.name);
        if name.is_empty() {
            ("x".to_owned(), "y".to_owned())
        } else {
            (format!("{name}.x"), format!("{name}.y"))
        }
    }

    /// Fills a field in. One that the form does not have is added at its end, as a script would.
    fn fill(&mut self, name: &str, filled: &Filled) {
        let is_field = |control: &Control| *control.name == *name && !matches!(control.kind, Kind::Button(_));
        match filled {
            Filled::Checked(checked) => {
                for control in self.controls.iter_mut().filter(|control| is_field(control)) {
                    if let Kind::Choice(chosen) = &mut control.kind {
                        *chosen = *checked;
                    }
                }
            }
            Filled::Values(values) => {
                let mut wanted: Vec<&str> = values.iter().map(|value| &**value).collect();
                let mut place = None;
                for (position, control) in self.controls.iter_mut().enumerate() {
                    if !is_field(control) {
                        continue;
                    }
                    place = Some(position + 1);
                    match &mut control.kind {
                        Kind::Choice(chosen) => {
                            let taken = wanted.iter().position(|value| *value == &*control.value);
                            *chosen = taken.map(|taken| wanted.remove(taken)).is_some();
                        }
                        // The fields of a name take the values in turn.
                        _ if wanted.is_empty() => control.kind = Kind::Gone,
                        Kind::Text(sanitizer) => {
                            control.value = sanitizer.apply(wanted.remove(0).to_owned()).into();
                        }
                        _ => {
                            control.value = wanted.remove(0).into();
                            control.kind = Kind::Text(Sanitizer::Keeps);
                        }
                    }
                }
                let place = place.unwrap_or(self.controls.len());
                let text = |value: &str| Control {
                    name: name.into(),
                    value: value.into(),
                    kind: Kind::Text(Sanitizer::Keeps),
                    direction: None,
                };
                let pressed_moves = self.pressed.is_some_and(|pressed| pressed >= place);
                if pressed_moves {
                    self.pressed = self.pressed.map(|pressed| pressed + wanted.len());
                }
                self.controls.splice(place..place, wanted.into_iter().map(text));
            }
        }
    }
}

impl Control {
    fn entries<'a>(
        &'a self,
        is_pressed: bool,
        image: (&'a str, &'a str),
        charset: Charset,
        out: &mut Vec<Entry<'a>>,
    ) {
        let entry = |name, value| Entry { name, value, is_file: false };
        match &self.kind {
            Kind::Button(button) if button.is_image => {
                if is_pressed {
                    out.extend([entry(image.0, "0"), entry(image.1, "0")]);
                }
            }
            Kind::Button(_) if !is_pressed => return,
            Kind::Button(_) if self.name.is_empty() => {}
            Kind::Choice(false) | Kind::Gone => return,
            Kind::File => out.push(Entry { name: &self.name, value: "", is_file: true }),
            Kind::Text(Sanitizer::Hidden) if self.name.eq_ignore_ascii_case("_charset_") => {
                out.push(entry(&self.name, charset.name()));
            }
            Kind::Text(_) | Kind::Choice(true) | Kind::Button(_) => out.push(entry(&self.name, &self.value)),
        }
        if let Some((name, direction)) = &self.direction {
            let is_rtl = match direction {
                Direction::LeftToRight => false,
                Direction::RightToLeft => true,
                Direction::Auto => reads_right_to_left(&self.value),
            };
            out.push(entry(name, if is_rtl { "rtl" } else { "ltr" }));
        }
    }
}

/// Whether the first letter belongs to a script that is read from right to left: Hebrew, Arabic and their neighbours.
fn reads_right_to_left(text: &str) -> bool {
    let first = text.chars().find(|character| character.is_alphabetic());
    first.is_some_and(
        |first| matches!(first, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'),
    )
}

/// Line ends as forms send them.
fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

fn url_encoded(entries: &[Entry<'_>], charset: Charset) -> String {
    let mut out = String::new();
    for entry in entries {
        for (mark, text) in [('&', entry.name), ('=', entry.value)] {
            if mark == '=' || !out.is_empty() {
                out.push(mark);
            }
            out.extend(form_urlencoded::byte_serialize(&charset.encode(&line_ends(text))));
        }
    }
    out
}

fn multipart(entries: &[Entry<'_>]) -> String {
    let mut out = String::new();
    for entry in entries {
        part(
            entry.name,
            entry.is_file.then_some(("", "application/octet-stream")),
            &line_ends(entry.value),
            &mut out,
        );
    }
    end_parts(&mut out);
    out
}

/// Appends a part of a multipart body; `file` is a file's name and type.
pub(crate) fn part(name: &str, file: Option<(&str, &str)>, value: &str, out: &mut String) {
    begin_part(name, file, out);
    out.push_str(value);
    out.push_str("\r\n");
}

fn begin_part(name: &str, file: Option<(&str, &str)>, out: &mut String) {
    out.push_str("--");
    out.push_str(BOUNDARY);
    out.push_str("\r\nContent-Disposition: form-data; name=\"");
    Encoding::Multipart.write(&line_ends(name), out);
    out.push('"');
    if let Some((file_name, content_type)) = file {
        out.push_str("; filename=\"");
        Encoding::Multipart.write(file_name, out);
        out.push_str("\"\r\nContent-Type: ");
        out.push_str(content_type);
    }
    out.push_str("\r\n\r\n");
}

/// Ends a multipart body.
pub(crate) fn end_parts(out: &mut String) {
    out.push_str("--");
    out.push_str(BOUNDARY);
    out.push_str("--\r\n");
}

fn plain(entries: &[Entry<'_>]) -> String {
    let line = |entry: &Entry<'_>| format!("{}={}\r\n", line_ends(entry.name), line_ends(entry.value));
    entries.iter().map(line).collect()
}
