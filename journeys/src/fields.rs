//! Names with their values: queries, forms, and the parts of a multipart body.

use crate::encoding::Encoding;
use crate::failure::Failure;
use crate::form::{end_parts, part};
use crate::template::{Template, Values, check_length};
use crate::value::Value;

/// Fields of a query or an urlencoded form, already in its encoding.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pairs: Vec<Pair>,
}

#[derive(Clone, Debug)]
struct Pair {
    name: Template,
    value: Template,
    /// Where the value is nothing but a variable: a list repeats the field.
    lone: Option<(u16, Encoding)>,
}

impl Fields {
    /// Appends a field; `lone` is the variable that its value is, if it is nothing else.
    pub(crate) fn push(&mut self, name: Template, value: Template, lone: Option<(u16, Encoding)>) {
        self.pairs.push(Pair { name, value, lone });
    }

    /// True when there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// `name=value&…`, when no field holds a variable.
    pub(crate) fn as_fixed(&self) -> Option<String> {
        let pairs = self.pairs.iter().map(|pair| {
            let (name, value) = (pair.name.as_fixed()?, pair.value.as_fixed()?);
            Some(format!("{name}={value}"))
        });
        Some(pairs.collect::<Option<Vec<_>>>()?.join("&"))
    }

    /// Appends `name=value&…` to `out`, which is `what` to people.
    ///
    /// # Errors
    /// As [`Template::fill`].
    pub(crate) fn fill(
        &self,
        values: &Values<'_>,
        out: &mut String,
        what: &str,
        bytes_max: usize,
    ) -> Result<(), Failure> {
        let mut is_first = true;
        let mut begin = |name: &Template, out: &mut String| {
            if !std::mem::take(&mut is_first) {
                out.push('&');
            }
            name.fill(values, out, what, bytes_max)?;
            out.push('=');
            Ok::<_, Failure>(())
        };
        for pair in &self.pairs {
            let list = pair.lone.and_then(|(slot, encoding)| match values.value(slot) {
                Some(Value::List(items)) => Some((items, encoding)),
                _ => None,
            });
            match list {
                None => {
                    begin(&pair.name, out)?;
                    pair.value.fill(values, out, what, bytes_max)?;
                }
                Some((items, encoding)) => {
                    for item in items {
                        begin(&pair.name, out)?;
                        encoding.write(item, out);
                    }
                }
            }
        }
        check_length(out, what, bytes_max)
    }
}

/// A part of a `multipart/form-data` body.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: Template,
    /// The file's name and its type.
    pub(crate) file: Option<(Template, Template)>,
    pub(crate) content: Content,
}

/// What a part holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A text.
    Text(Template),
    /// So many bytes of nothing in particular: a file that is only to be large.
    Filler(usize),
}

/// A `multipart/form-data` body.
///
/// # Errors
/// As [`Template::fill`].
pub(crate) fn multipart(parts: &[Part], values: &Values<'_>, bytes_max: usize) -> Result<String, Failure> {
    let what = "the body";
    let mut out = String::new();
    for one in parts {
        let name = one.name.filled(values, what, bytes_max)?;
        let file = match &one.file {
            Some((name, kind)) => {
                Some((name.filled(values, what, bytes_max)?, kind.filled(values, what, bytes_max)?))
            }
            None => None,
        };
        let content = match &one.content {
            Content::Text(template) => template.filled(values, what, bytes_max)?,
            Content::Filler(bytes) => "x".repeat(*bytes).into(),
        };
        part(&name, file.as_ref().map(|(name, kind)| (&**name, &**kind)), &content, &mut out);
        check_length(&out, what, bytes_max)?;
    }
    end_parts(&mut out);
    Ok(out)
}
