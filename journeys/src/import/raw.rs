//! A recording as HAR 1.2 writes it. Whatever nobody asks for is left out.

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
pub(super) struct RawFile {
    pub(super) log: RawLog,
}

#[derive(Deserialize)]
pub(super) struct RawLog {
    #[serde(default)]
    pub(super) entries: Vec<Lenient>,
}

/// An entry, or something that is none: it does not spoil the others.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Lenient {
    Entry(Box<RawEntry>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawEntry {
    pub(super) started_date_time: Option<String>,
    pub(super) time: Option<f64>,
    pub(super) pageref: Option<String>,
    #[serde(rename = "_resourceType")]
    pub(super) resource_type: Option<String>,
    pub(super) request: RawRequest,
    pub(super) response: Option<RawResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawRequest {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Option<Vec<RawPair>>,
    pub(super) post_data: Option<RawPost>,
}

#[derive(Deserialize)]
pub(super) struct RawPair {
    pub(super) name: String,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawPost {
    pub(super) mime_type: Option<String>,
    pub(super) text: Option<String>,
    pub(super) params: Option<Vec<RawParam>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawParam {
    pub(super) name: Option<String>,
    pub(super) value: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct RawResponse {
    pub(super) status: Option<i64>,
    pub(super) headers: Option<Vec<RawPair>>,
    pub(super) content: Option<RawContent>,
    #[serde(rename = "redirectURL")]
    pub(super) redirect_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawContent {
    pub(super) size: Option<f64>,
    pub(super) mime_type: Option<String>,
    pub(super) text: Option<String>,
    pub(super) encoding: Option<String>,
}
