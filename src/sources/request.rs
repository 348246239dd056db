//! From a question to an HTTP request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{GB18030, GBK};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;

use super::template::{Inputs, Landing, Template, Unrepresentable};
use super::text::Charset;
use crate::departments::Question;
use crate::domain::Sex;

/// A request with its inputs still open.
#[derive(Debug)]
pub(super) struct RequestTemplate {
    pub(super) method: Method,
    pub(super) address: Url,
    /// The whole address, once it is known to be the same whatever is asked.
    pub(super) always: OnceLock<Url>,
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    None,
    Json(JsonTemplate),
    Form(Vec<(String, FormField)>),
    Xml { template: Template, charset: Charset, parts: BTreeMap<String, Part> },
}

#[derive(Debug)]
pub(super) enum FormField {
    Text(Template),
    Json(JsonTemplate),
}

/// A JSON document whose texts are templates: what is the same whatever is asked, as it is sent, and the texts in between.
#[derive(Debug, Default)]
pub(super) struct JsonTemplate(Vec<JsonSegment>);

#[derive(Debug)]
enum JsonSegment {
    Fixed(Vec<u8>),
    Text(Template),
}

/// An XML document within the XML body.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) template: Template,
    pub(super) charset: Charset,
    pub(super) base64: bool,
}

/// What templates may hold.
pub(super) const INPUTS: [&str; 16] = [
    "id_number",
    "name",
    "birth_date",
    "birth_date_basic",
    "sex",
    "sex_code",
    "division",
    "purpose",
    "case",
    "officer",
    "agency",
    "request_id",
    "time_millis",
    "time_seconds",
    "time_iso",
    "uuid",
];

/// The inputs of one question at one moment.
pub(super) struct QuestionInputs<'a> {
    pub(super) question: &'a Question,
    pub(super) now: Timestamp,
    pub(super) captured: &'a [(String, String)],
}

impl Inputs for QuestionInputs<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let Question { about, occasion, parameters, .. } = self.question;
        if let Some(parameter) = name.strip_prefix("parameters.") {
            return match parameters.get(parameter)? {
                Value::String(text) => Some(text.into()),
                value @ (Value::Bool(_) | Value::Number(_)) => Some(value.to_string().into()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            };
        }
        if let Some(captured) = name.strip_prefix("captured.") {
            return self.captured.iter().find(|(name, _)| name == captured).map(|(_, value)| value.into());
        }
        let born = || about.id_number.birth_date();
        Some(match name {
            "id_number" => about.id_number.reveal().into(),
            "name" => about.name.as_ref()?.reveal().into(),
            "birth_date" => born().to_string().into(),
            "birth_date_basic" => born().strftime("%Y%m%d").to_string().into(),
            "sex" => if about.id_number.sex() == Sex::Female { "female" } else { "male" }.into(),
            "sex_code" => about.id_number.sex().code().into(),
            "division" => about.id_number.division().into(),
            "purpose" => occasion.purpose.as_str().into(),
            "case" => occasion.case.as_deref().unwrap_or_default().into(),
            "officer" => occasion.officer.as_str().into(),
            "agency" => occasion.agency.0.as_str().into(),
            "request_id" => occasion.request_id.as_str().into(),
            "time_millis" => self.now.as_millisecond().to_string().into(),
            "time_seconds" => self.now.as_second().to_string().into(),
            "time_iso" => self.now.to_string().into(),
            "uuid" => uuid::Uuid::now_v7().to_string().into(),
            _ => return None,
        })
    }
}

impl RequestTemplate {
    /// The request for these inputs.
    pub(super) fn build(&self, client: &Client, inputs: &dyn Inputs) -> Result<RequestBuilder, Unrepresentable> {
        let mut request = client.request(self.method.clone(), self.url(inputs)?);
        for (name, template) in &self.headers {
            let value = template.fill(inputs, Landing::Header)?;
            request = request.header(name, HeaderValue::from_str(&value).map_err(|_| Unrepresentable)?);
        }
        self.body.add(request, inputs, self.headers.iter().any(|(name, _)| name == CONTENT_TYPE))
    }

    fn url(&self, inputs: &dyn Inputs) -> Result<Url, Unrepresentable> {
        if let Some(always) = self.always.get() {
            return Ok(always.clone());
        }
        let mut url = self.address.clone();
        let path = self.path.fill(inputs, Landing::Url)?;
        if has_dot_segment(&path) {
            return Err(Unrepresentable);
        }
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        if !self.query.is_empty() {
            let mut query = Vec::new();
            for (name, template) in &self.query {
                let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
                let value = template.fill(inputs, Landing::Plain)?;
                query.push(format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
            }
            url.set_query(Some(&query.join("&")));
        } else if self.path.is_fixed() {
            // Another thread may have been faster.
            let _ = self.always.set(url.clone());
        }
        Ok(url)
    }

    /// The inputs that it uses.
    pub(super) fn inputs(&self) -> Vec<&str> {
        let mut templates: Vec<&Template> = vec![&self.path];
        templates.extend(self.query.iter().map(|(_, template)| template));
        templates.extend(self.headers.iter().map(|(_, template)| template));
        match &self.body {
            Body::None => {}
            Body::Json(json) => templates.extend(json.templates()),
            Body::Form(fields) => fields.iter().for_each(|(_, field)| match field {
                FormField::Text(template) => templates.push(template),
                FormField::Json(json) => templates.extend(json.templates()),
            }),
            Body::Xml { template, parts, .. } => {
                templates.push(template);
                templates.extend(parts.values().map(|part| &part.template));
            }
        }
        templates.into_iter().flat_map(Template::inputs).collect()
    }
}

impl Body {
    fn add(
        &self,
        request: RequestBuilder,
        inputs: &dyn Inputs,
        typed: bool,
    ) -> Result<RequestBuilder, Unrepresentable> {
        let (kind, body) = match self {
            Self::None => return Ok(request),
            Self::Json(json) => ("application/json", json.fill(inputs)?),
            Self::Form(fields) => {
                let mut pairs = String::with_capacity(1024);
                for (name, field) in fields {
                    let value = match field {
                        FormField::Text(template) => template.fill(inputs, Landing::Plain)?.into_bytes(),
                        FormField::Json(json) => json.fill(inputs)?,
                    };
                    pairs.push_str(if pairs.is_empty() { "" } else { "&" });
                    pairs.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
                    pairs.push('=');
                    pairs.extend(percent_encode(&value, NON_ALPHANUMERIC));
                }
                ("application/x-www-form-urlencoded", pairs.into_bytes())
            }
            Self::Xml { template, charset, parts } => {
                let mut filled = Vec::new();
                for (name, part) in parts {
                    filled.push((name.as_str(), part.fill(inputs)?));
                }
                let body = template.fill(&WithParts { inputs, parts: &filled }, Landing::Xml)?;
                ("text/xml; charset=utf-8", encode(&body, *charset)?)
            }
        };
        Ok(if typed { request.body(body) } else { request.header(CONTENT_TYPE, kind).body(body) })
    }
}

impl Part {
    fn fill(&self, inputs: &dyn Inputs) -> Result<String, Unrepresentable> {
        let text = self.template.fill(inputs, Landing::Xml)?;
        if !self.base64 {
            return Ok(text);
        }
        Ok(STANDARD.encode(encode(&text, self.charset)?))
    }
}

/// The inputs, and the parts under `part.NAME`.
struct WithParts<'a> {
    inputs: &'a dyn Inputs,
    parts: &'a [(&'a str, String)],
}

impl Inputs for WithParts<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name.strip_prefix("part.") {
            Some(part) => self.parts.iter().find(|(name, _)| *name == part).map(|(_, text)| text.into()),
            None => self.inputs.value(name),
        }
    }
}

impl JsonTemplate {
    /// Appends a value that is the same whatever is asked, or a piece of JSON's own punctuation.
    pub(super) fn push_fixed(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(JsonSegment::Fixed(before)) => before.extend_from_slice(text.as_bytes()),
            Some(JsonSegment::Text(_)) | None => self.0.push(JsonSegment::Fixed(text.as_bytes().to_vec())),
        }
    }

    /// Appends a text.
    pub(super) fn push_text(&mut self, template: Template) {
        self.0.push(JsonSegment::Text(template));
    }

    /// The document as it is sent.
    fn fill(&self, inputs: &dyn Inputs) -> Result<Vec<u8>, Unrepresentable> {
        let mut document = Vec::with_capacity(512);
        for segment in &self.0 {
            match segment {
                JsonSegment::Fixed(bytes) => document.extend_from_slice(bytes),
                JsonSegment::Text(template) => {
                    let text = template.fill(inputs, Landing::Plain)?;
                    serde_json::to_writer(&mut document, &text).map_err(|_| Unrepresentable)?;
                }
            }
        }
        Ok(document)
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().filter_map(|segment| match segment {
            JsonSegment::Fixed(_) => None,
            JsonSegment::Text(template) => Some(template),
        })
    }
}

/// Whether a path holds a segment that means another place than it says (RFC 3986 section 5.2.4). Nothing can encode such a
/// segment: a URL's `%2e` is as good as a dot.
pub(super) fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

/// Encodes a whole text at once: escaping is over by now, so that no byte of a character can be taken for a delimiter. A
/// character that the charset doesn't have is refused, never replaced.
fn encode(text: &str, charset: Charset) -> Result<Vec<u8>, Unrepresentable> {
    let encoding = match charset {
        Charset::Utf8 => return Ok(text.as_bytes().to_vec()),
        Charset::Gbk => GBK,
        Charset::Gb18030 => GB18030,
    };
    let (bytes, _, unmappable) = encoding.encode(text);
    if unmappable { Err(Unrepresentable) } else { Ok(bytes.into_owned()) }
}
