//! A source's file as it is written; its schema has checked the shape.

mod health;
mod limits;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) use health::HealthText;
pub(super) use limits::{LimitsText, OutageText};

#[derive(Debug, Deserialize)]
pub(super) struct SourceText {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) address: Setting,
    pub(super) proxy: Option<String>,
    /// What others may see of it.
    #[serde(default)]
    pub(super) allow: Vec<Exposure>,
    #[serde(default)]
    pub(super) tls: TlsText,
    pub(super) authentication: AuthenticationText,
    pub(super) events: Option<EventsText>,
    pub(super) health: Option<HealthText>,
    #[serde(default)]
    pub(super) limits: LimitsText,
    #[serde(default)]
    pub(super) envelope: Option<EnvelopeText>,
    pub(super) operations: BTreeMap<String, OperationText>,
}

/// What its file says that others may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Exposure {
    /// It is asked in the clear.
    PlainHttp,
    /// Somebody's number, name or birth date stands in an address.
    PersonalUrl,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Setting {
    Plain(String),
    Variable { env: String, default: Option<String> },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum SecretText {
    Variable { env: String },
    File { file: String },
}

/// How the source proves who it is when it tells of events.
#[derive(Debug, Deserialize)]
pub(super) struct EventsText {
    pub(super) token: SecretText,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TlsText {
    pub(super) ca_file: Option<String>,
    pub(super) identity_file: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AuthenticationText {
    #[serde(flatten)]
    pub(super) proof: ProofText,
    #[serde(default)]
    pub(super) secret_headers: BTreeMap<String, SecretText>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum ProofText {
    None,
    Header {
        name: String,
        secret: SecretText,
    },
    Query {
        name: String,
        secret: SecretText,
    },
    Bearer {
        secret: SecretText,
    },
    Basic {
        user: String,
        secret: SecretText,
    },
    Oauth2 {
        token_path: String,
        client_id: String,
        secret: SecretText,
        scope: Option<String>,
        #[serde(default)]
        credentials_in: CredentialsIn,
    },
    ExchangePlatform {
        prefix: String,
        requester: Setting,
        secret: SecretText,
        key_path: String,
        key_service: Option<String>,
        key_at: String,
        refresh: Option<String>,
    },
    Digest(DigestText),
}

#[derive(Debug, Deserialize)]
pub(super) struct DigestText {
    pub(super) algorithm: Algorithm,
    pub(super) app_key: Setting,
    pub(super) secret: SecretText,
    pub(super) text: String,
    #[serde(default)]
    pub(super) encoding: DigestEncoding,
    pub(super) headers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CredentialsIn {
    #[default]
    Header,
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Algorithm {
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "SHA-1")]
    Sha1,
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "SM3")]
    Sm3,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum DigestEncoding {
    #[default]
    #[serde(rename = "hex")]
    Hex,
    #[serde(rename = "HEX")]
    UpperHex,
    #[serde(rename = "base64")]
    Base64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct EnvelopeText {
    #[serde(default)]
    pub(super) status: BTreeMap<String, StatusText>,
    pub(super) at: Option<String>,
    #[serde(default)]
    pub(super) codes: Vec<CodeText>,
}

/// What an HTTP status means.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum StatusText {
    Means(Meaning),
    Read(ReadText),
    Own(OwnText),
}

/// That the body says it, as with 200.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReadText {
    Read,
}

/// That a body of its own says it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OwnText {
    pub(super) schema: Option<String>,
    pub(super) at: String,
    pub(super) codes: Vec<CodeText>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct CodeText {
    pub(super) code: Value,
    pub(super) means: Meaning,
}

/// What a result means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Meaning {
    Ok,
    NoRecord,
    Pending,
    Busy,
    Denied,
    Error,
}

#[derive(Debug, Deserialize)]
pub(super) struct RequestText {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: BodyText,
    #[serde(default = "json_body")]
    pub(super) decode: Vec<StepText>,
    pub(super) schema: String,
    pub(super) envelope: Option<EnvelopeText>,
}

fn json_body() -> Vec<StepText> {
    vec![StepText { at: None, how: vec![Codec::Json], arrays: Vec::new() }]
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BodyText {
    pub(super) json: Option<JsonText>,
    pub(super) form: Option<IndexMap<String, FormText>>,
    pub(super) xml: Option<String>,
    pub(super) charset: Charset,
    pub(super) parts: BTreeMap<String, PartText>,
}

/// A JSON document whose texts are templates, its members in the order in which they are sent.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum JsonText {
    Text(String),
    Object(IndexMap<String, JsonText>),
    Array(Vec<JsonText>),
    Fixed(Value),
}

/// A field of a form: a text, or a JSON document in one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum FormText {
    Text(String),
    Json { json: JsonText },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Charset {
    #[default]
    #[serde(rename = "UTF-8")]
    Utf8,
    #[serde(rename = "GBK")]
    Gbk,
    #[serde(rename = "GB18030")]
    Gb18030,
}

#[derive(Debug, Deserialize)]
pub(super) struct PartText {
    pub(super) xml: String,
    #[serde(default)]
    pub(super) charset: Charset,
    #[serde(default)]
    pub(super) base64: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct StepText {
    pub(super) at: Option<String>,
    #[serde(rename = "as")]
    pub(super) how: Vec<Codec>,
    #[serde(default)]
    pub(super) arrays: Vec<String>,
}

/// One thing that is done to a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Codec {
    Base64,
    #[serde(rename = "utf-8")]
    Utf8,
    Gbk,
    Gb18030,
    Json,
    Xml,
}

#[derive(Debug, Deserialize)]
pub(super) struct OperationText {
    #[serde(flatten)]
    pub(super) request: RequestText,
    pub(super) service: Option<String>,
    pub(super) hedge_after: Option<String>,
    pub(super) fetch: Option<FetchText>,
    pub(super) rows: Option<String>,
    #[serde(default)]
    pub(super) empty: Empty,
    pub(super) about: AboutText,
    pub(super) fact: FactText,
    pub(super) cache: CacheText,
}

#[derive(Debug, Deserialize)]
pub(super) struct FetchText {
    #[serde(flatten)]
    pub(super) request: RequestText,
    pub(super) capture: BTreeMap<String, String>,
    pub(super) every: String,
    pub(super) within: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Empty {
    NoRecord,
    #[default]
    Invalid,
}

#[derive(Debug, Deserialize)]
pub(super) struct AboutText {
    pub(super) each: Option<String>,
    #[serde(default)]
    pub(super) at: Vec<String>,
    #[serde(default, rename = "match")]
    pub(super) quantity: Quantity,
    pub(super) agree: Option<AgreeText>,
    pub(super) none: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Quantity {
    #[default]
    Every,
    Some,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct AgreeText {
    pub(super) name: String,
    pub(super) birth_date: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct FactText {
    pub(super) name: String,
    #[serde(default)]
    pub(super) at: String,
    pub(super) fields: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FieldText {
    pub(super) at: Option<String>,
    #[serde(rename = "as")]
    pub(super) kind: Option<FieldKind>,
    pub(super) format: Option<String>,
    pub(super) map: Option<BTreeMap<String, Value>>,
    pub(super) absent: Option<Value>,
    pub(super) value: Option<Value>,
    pub(super) each: Option<String>,
    pub(super) fields: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FieldKind {
    #[default]
    Text,
    Name,
    IdNumber,
    Date,
    Integer,
    Boolean,
}

#[derive(Debug, Deserialize)]
pub(super) struct CacheText {
    pub(super) found: String,
    pub(super) no_record: String,
    pub(super) stale: Option<String>,
}
