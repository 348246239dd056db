use std::borrow::Cow;
use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use reqwest::header::HeaderName;
use sha2::{Digest as _, Sha256};

use super::super::template::{Inputs, Landing, Template};
use super::super::text::{Algorithm, DigestEncoding};
use super::{Secret, millis, sensitive};
use crate::domain::Cause;

/// Headers that hold a digest of our key, our secret and the time.
#[derive(Debug)]
pub(in crate::sources) struct DigestOfFields {
    pub(in crate::sources) algorithm: Algorithm,
    pub(in crate::sources) app_key: String,
    pub(in crate::sources) secret: Secret,
    pub(in crate::sources) text: Template,
    pub(in crate::sources) encoding: DigestEncoding,
    pub(in crate::sources) headers: Vec<(HeaderName, Template)>,
}

impl DigestOfFields {
    pub(super) fn apply(&self, mut request: RequestBuilder) -> Result<RequestBuilder, Cause> {
        let millis = millis();
        let time = (millis.to_string(), (millis / 1000).to_string());
        let mut fields = Fields { digest: self, time, uuid: OnceCell::new(), sign: None };
        let text = self.text.fill(&fields, Landing::Plain).map_err(|_| Cause::Misconfigured)?;
        fields.sign = Some(self.digest(text.as_bytes()));
        for (name, template) in &self.headers {
            let value = template.fill(&fields, Landing::Header).map_err(|_| Cause::Misconfigured)?;
            request = request.header(name, sensitive(&value)?);
        }
        Ok(request)
    }

    fn digest(&self, text: &[u8]) -> String {
        match self.algorithm {
            Algorithm::Md5 => self.encode(&md5::Md5::digest(text)),
            Algorithm::Sha1 => self.encode(&sha1::Sha1::digest(text)),
            Algorithm::Sha256 => self.encode(&Sha256::digest(text)),
            Algorithm::Sm3 => self.encode(&sm3::Sm3::digest(text)),
        }
    }

    fn encode(&self, digest: &[u8]) -> String {
        match self.encoding {
            DigestEncoding::Hex => hex(digest, b"0123456789abcdef"),
            DigestEncoding::UpperHex => hex(digest, b"0123456789ABCDEF"),
            DigestEncoding::Base64 => STANDARD.encode(digest),
        }
    }
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(digits[usize::from(half)])).collect()
}

/// What the templates of a digest may hold.
pub(in crate::sources) const DIGEST_INPUTS: [&str; 6] =
    ["app_key", "secret", "time_millis", "time_seconds", "uuid", "sign"];

struct Fields<'a> {
    digest: &'a DigestOfFields,
    /// In milliseconds and in seconds since 1970.
    time: (String, String),
    /// The same wherever it stands.
    uuid: OnceCell<String>,
    sign: Option<String>,
}

impl Inputs for Fields<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match name {
            "app_key" => self.digest.app_key.as_str().into(),
            "secret" => self.digest.secret.reveal().into(),
            "time_millis" => self.time.0.as_str().into(),
            "time_seconds" => self.time.1.as_str().into(),
            "uuid" => self.uuid.get_or_init(|| uuid::Uuid::now_v7().to_string()).into(),
            "sign" => self.sign.as_deref()?.into(),
            _ => return None,
        })
    }
}
