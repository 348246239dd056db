use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::Write as _;

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
        let mut fields = Fields { digest: self, millis: millis(), uuid: OnceCell::new(), sign: None };
        let text = self.text.fill(&fields, Landing::Plain).map_err(|_| Cause::Misconfigured)?;
        fields.sign = Some(self.digest(text.as_bytes()));
        for (name, template) in &self.headers {
            let value = template.fill(&fields, Landing::Header).map_err(|_| Cause::Misconfigured)?;
            request = request.header(name, sensitive(&value)?);
        }
        Ok(request)
    }

    fn digest(&self, text: &[u8]) -> String {
        let bytes = match self.algorithm {
            Algorithm::Md5 => md5::Md5::digest(text).to_vec(),
            Algorithm::Sha1 => sha1::Sha1::digest(text).to_vec(),
            Algorithm::Sha256 => Sha256::digest(text).to_vec(),
            Algorithm::Sm3 => sm3::Sm3::digest(text).to_vec(),
        };
        let hex = || {
            bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        };
        match self.encoding {
            DigestEncoding::Hex => hex(),
            DigestEncoding::UpperHex => hex().to_uppercase(),
            DigestEncoding::Base64 => STANDARD.encode(bytes),
        }
    }
}

/// What the templates of a digest may hold.
pub(in crate::sources) const DIGEST_INPUTS: [&str; 6] =
    ["app_key", "secret", "time_millis", "time_seconds", "uuid", "sign"];

struct Fields<'a> {
    digest: &'a DigestOfFields,
    millis: u128,
    /// The same wherever it stands.
    uuid: OnceCell<String>,
    sign: Option<String>,
}

impl Inputs for Fields<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match name {
            "app_key" => self.digest.app_key.as_str().into(),
            "secret" => self.digest.secret.reveal().into(),
            "time_millis" => self.millis.to_string().into(),
            "time_seconds" => (self.millis / 1000).to_string().into(),
            "uuid" => self.uuid.get_or_init(|| uuid::Uuid::now_v7().to_string()).into(),
            "sign" => self.sign.as_deref()?.into(),
            _ => return None,
        })
    }
}
