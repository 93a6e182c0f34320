//! What a request sent.

use url::form_urlencoded;

use super::archive::{Entry, Post, essence};
use super::json::Json;
use super::multipart::{self, Part};
use super::told::told;
use super::yaml::COLUMNS_MAX;
use crate::scan::VALUE_BYTES_MAX;

/// What stands beside a name in its line: the indent, quotes, the colon.
const BESIDE_NAME: usize = 16;
/// How deep values of JSON may stand within each other.
const DEPTH_MAX: usize = 24;

/// The body of a request.
#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Form(Vec<(String, String)>),
    Parts(Vec<Part>),
    Json(Json),
    GraphQl {
        query: String,
        operation: Option<String>,
        variables: Option<Json>,
    },
    Raw(String),
    /// There was one, and it cannot be written; why.
    Lost(&'static str),
}

impl Body {
    /// The body of a request as it was recorded.
    pub(super) fn read(entry: &Entry) -> Self {
        if entry.method == "GET" || entry.method == "HEAD" {
            return Self::None;
        }
        let Some(post) = entry.post.as_ref().filter(|post| !post.text.is_empty() || !post.params.is_empty())
        else {
            let was_sent = entry.header("content-length").is_some_and(|length| length != "0");
            return if was_sent { Self::Lost("what was sent was not recorded") } else { Self::None };
        };
        if post.text.len() > VALUE_BYTES_MAX {
            return Self::Lost("what was sent is longer than 64 KiB");
        }
        let body = match essence(&post.mime).as_str() {
            "application/x-www-form-urlencoded" => Self::Form(fields(post)),
            "multipart/form-data" => match multipart::of_post(post) {
                parts if parts.is_empty() => Self::Lost("the parts of what was sent could not be read"),
                parts => Self::Parts(parts),
            },
            mime if mime.contains("json") => json(&post.text),
            _ if post.text.contains(is_binary) => Self::Lost("what was sent is no text"),
            _ => Self::Raw(post.text.clone()),
        };
        if body.is_writable() { body } else { Self::Raw(post.text.clone()) }
    }

    /// The texts and numbers in it with their names.
    pub(super) fn leaves(&self) -> Vec<(String, String)> {
        let mut leaves = Vec::new();
        match self {
            Self::Form(fields) => leaves.clone_from(fields),
            Self::Parts(parts) => {
                let texts = parts.iter().filter(|part| part.file.is_none());
                leaves.extend(texts.map(|part| (part.name.clone(), part.value.clone())));
            }
            Self::Json(json) | Self::GraphQl { variables: Some(json), .. } => json.leaves("", &mut leaves),
            Self::Raw(text) => {
                let told = told(text).into_iter();
                leaves.extend(told.map(|told| (told.key, text[told.place].to_owned())));
            }
            Self::None | Self::GraphQl { .. } | Self::Lost(_) => {}
        }
        leaves
    }

    /// The name of a GraphQL operation.
    pub(super) fn operation(&self) -> Option<&str> {
        match self {
            Self::GraphQl { operation, .. } => operation.as_deref(),
            _ => None,
        }
    }

    /// Whether a journey file can hold it as what it is.
    fn is_writable(&self) -> bool {
        match self {
            Self::Form(fields) => fields.iter().all(|(name, _)| fits_a_line(name)),
            Self::Parts(parts) => parts.iter().all(|part| fits_a_line(&part.name)),
            Self::Json(json) | Self::GraphQl { variables: Some(json), .. } => {
                // Each level is indented by two, and each character may need another to escape it.
                let depth = json.depth();
                depth <= DEPTH_MAX && 2 * (json.longest_name() + depth) + BESIDE_NAME <= COLUMNS_MAX
            }
            _ => true,
        }
    }
}

/// Whether a name fits a line of the journey, which cannot be broken within it.
fn fits_a_line(name: &str) -> bool {
    let escapes = name.matches(['"', '\'', '\\']).count();
    name.chars().count() + escapes + BESIDE_NAME <= COLUMNS_MAX
}

/// What no text holds.
fn is_binary(character: char) -> bool {
    character == '\u{fffd}' || (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
}

fn fields(post: &Post) -> Vec<(String, String)> {
    if post.text.is_empty() {
        return post.params.iter().map(|param| (param.name.clone(), param.value.clone())).collect();
    }
    let pairs = form_urlencoded::parse(post.text.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn json(text: &str) -> Body {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => graphql(&json).unwrap_or(Body::Json(json)),
        Err(_) => Body::Raw(text.to_owned()),
    }
}

/// A request as GraphQL over HTTP makes it, when it has nothing beside document, operation and variables.
fn graphql(json: &Json) -> Option<Body> {
    let Json::Map(members) = json else { return None };
    let is_known = |(name, value): &(String, Json)| {
        ["query", "operationName", "variables"].contains(&name.as_str()) || *value == Json::Null
    };
    let Some(Json::Text(query)) = json.get("query") else { return None };
    let begin = query.trim_start();
    let is_document = begin.starts_with(['{', '#'])
        || ["query", "mutation", "fragment"].iter().any(|word| begin.starts_with(word));
    if !is_document || !members.iter().all(is_known) {
        return None;
    }
    let operation = match json.get("operationName") {
        Some(Json::Text(name)) => Some(name.clone()),
        None | Some(Json::Null) => None,
        Some(_) => return None,
    };
    let variables = match json.get("variables") {
        Some(Json::Map(variables)) if !variables.is_empty() => Some(Json::Map(variables.clone())),
        None | Some(Json::Null | Json::Map(_)) => None,
        Some(_) => return None,
    };
    Some(Body::GraphQl { query: query.trim().to_owned(), operation, variables })
}
