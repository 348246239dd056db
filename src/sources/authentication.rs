//! Proving who we are. Secrets are never shown.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::template::{Inputs, Landing, Template};
use super::text::{Algorithm, CredentialsIn, DigestEncoding};
use crate::domain::{Cause, TokenHash};

/// A secret, which shows itself to nobody.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash by which whoever shows it is known.
    pub(super) fn token_hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// How we prove who we are.
#[derive(Debug)]
pub(super) struct Authentication {
    pub(super) proof: Proof,
    /// Headers that go with every request, but to nobody else who hands out tokens or keys.
    pub(super) secret_headers: Vec<(HeaderName, Secret)>,
}

/// What a source wants to see.
#[derive(Debug)]
pub(super) enum Proof {
    None,
    Header { name: HeaderName, secret: Secret },
    Query { name: String, secret: Secret },
    Bearer { secret: Secret },
    Basic { user: String, secret: Secret },
    OAuth2(OAuth2),
    ExchangePlatform(ExchangePlatform),
    Digest(DigestOfFields),
}

/// OAuth 2 client credentials (RFC 6749 section 4.4).
#[derive(Debug)]
pub(super) struct OAuth2 {
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) secret: Secret,
    pub(super) scope: Option<String>,
    pub(super) credentials_in: CredentialsIn,
    pub(super) token: Cached,
}

/// The signed headers of the national exchange platform: the sign is Base64(HMAC-SHA256(key, sid + rid + rtime)).
#[derive(Debug)]
pub(super) struct ExchangePlatform {
    pub(super) names: [HeaderName; 4],
    pub(super) requester: String,
    pub(super) first_key: Secret,
    pub(super) key_url: Url,
    pub(super) key_service: Option<String>,
    pub(super) key_at: String,
    pub(super) refresh: Duration,
    pub(super) key: Cached,
}

/// Headers that hold a digest of our key, our secret and the time.
#[derive(Debug)]
pub(super) struct DigestOfFields {
    pub(super) algorithm: Algorithm,
    pub(super) app_key: String,
    pub(super) secret: Secret,
    pub(super) text: Template,
    pub(super) encoding: DigestEncoding,
    pub(super) headers: Vec<(HeaderName, Template)>,
}

/// A token or a working key that serves for a while. Those who need it at once wait for one fetch.
#[derive(Default)]
pub(super) struct Cached(Mutex<Option<Fetched>>);

struct Fetched {
    secret: Secret,
    when: Instant,
    until: Instant,
}

/// What was fetched so lately is not what the department refuses.
const YOUNG: Duration = Duration::from_secs(5);

impl fmt::Debug for Cached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cached(…)")
    }
}

impl Cached {
    async fn get(&self, fetch: impl Future<Output = Result<(Secret, Duration), Cause>>) -> Result<Secret, Cause> {
        let mut slot = self.0.lock().await;
        let now = Instant::now();
        if let Some(fetched) = slot.as_ref().filter(|fetched| now < fetched.until) {
            return Ok(fetched.secret.clone());
        }
        let (secret, lifetime) = fetch.await?;
        // It must not expire on its way to the department.
        let margin = (lifetime / 10).min(Duration::from_secs(30));
        let when = Instant::now();
        *slot = Some(Fetched { secret: secret.clone(), when, until: when + lifetime.saturating_sub(margin) });
        Ok(secret)
    }

    /// Forgets it, unless it is young. Returns whether it did.
    async fn forget(&self) -> bool {
        let mut slot = self.0.lock().await;
        slot.take_if(|fetched| fetched.when.elapsed() >= YOUNG).is_some()
    }
}

impl Authentication {
    /// Adds our proof to a request.
    pub(super) async fn apply(
        &self,
        client: &Client,
        mut request: RequestBuilder,
        service: Option<&str>,
    ) -> Result<RequestBuilder, Cause> {
        for (name, secret) in &self.secret_headers {
            request = request.header(name, sensitive(secret.reveal())?);
        }
        self.proof.apply(client, request, service).await
    }

    /// Forgets what was fetched, because the department no longer takes it. Returns whether there was anything.
    pub(super) async fn renew(&self) -> bool {
        self.proof.renew().await
    }
}

impl Proof {
    async fn apply(
        &self,
        client: &Client,
        request: RequestBuilder,
        service: Option<&str>,
    ) -> Result<RequestBuilder, Cause> {
        match self {
            Self::None => Ok(request),
            Self::Header { name, secret } => Ok(request.header(name, sensitive(secret.reveal())?)),
            Self::Query { name, secret } => Ok(request.query(&[(name, secret.reveal())])),
            Self::Bearer { secret } => Ok(request.bearer_auth(secret.reveal())),
            Self::Basic { user, secret } => Ok(request.basic_auth(user, Some(secret.reveal()))),
            Self::OAuth2(oauth2) => {
                let token = oauth2.token.get(oauth2.fetch(client)).await?;
                let value = Zeroizing::new(format!("Bearer {}", token.reveal()));
                Ok(request.header(AUTHORIZATION, sensitive(&value)?))
            }
            Self::ExchangePlatform(platform) => {
                let service = service.unwrap_or_default();
                let key = platform.key.get(platform.fetch(client, service)).await?;
                let [rid, sid, rtime, sign] = &platform.names;
                let time = millis().to_string();
                let signature = platform.sign(&key, service, &time)?;
                let request = request.header(rid, &platform.requester).header(sid, service);
                Ok(request.header(rtime, &time).header(sign, signature))
            }
            Self::Digest(digest) => digest.apply(request),
        }
    }

    /// Forgets what was fetched, because the department no longer takes it. Returns whether there was anything that it may
    /// have been about.
    async fn renew(&self) -> bool {
        match self {
            Self::OAuth2(oauth2) => oauth2.token.forget().await,
            Self::ExchangePlatform(platform) => platform.key.forget().await,
            Self::None
            | Self::Header { .. }
            | Self::Query { .. }
            | Self::Bearer { .. }
            | Self::Basic { .. }
            | Self::Digest(_) => false,
        }
    }
}

impl OAuth2 {
    async fn fetch(&self, client: &Client) -> Result<(Secret, Duration), Cause> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let mut request = client.post(self.token_url.clone());
        match self.credentials_in {
            CredentialsIn::Header => request = request.basic_auth(&self.client_id, Some(self.secret.reveal())),
            CredentialsIn::Body => {
                form.push(("client_id", &self.client_id));
                form.push(("client_secret", self.secret.reveal()));
            }
        }
        let reply = fetch(request, &form).await?;
        let token = reply.get("access_token").and_then(Value::as_str).ok_or(Cause::Denied)?;
        let lifetime = reply.get("expires_in").and_then(Value::as_u64).unwrap_or(60);
        Ok((Secret::new(token.to_owned()), Duration::from_secs(lifetime)))
    }
}

impl ExchangePlatform {
    async fn fetch(&self, client: &Client, service: &str) -> Result<(Secret, Duration), Cause> {
        let service = self.key_service.as_deref().unwrap_or(service);
        let time = millis().to_string();
        let sign = self.sign(&self.first_key, service, &time)?;
        let form = [("rid", self.requester.as_str()), ("sid", service), ("rtime", &time), ("sign", &sign)];
        let reply = fetch(client.post(self.key_url.clone()), &form).await?;
        let key = reply.pointer(&self.key_at).and_then(Value::as_str).ok_or(Cause::Denied)?;
        Ok((Secret::new(key.to_owned()), self.refresh))
    }

    fn sign(&self, key: &Secret, service: &str, time: &str) -> Result<String, Cause> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).map_err(|_| Cause::Misconfigured)?;
        for part in [service, &self.requester, time] {
            mac.update(part.as_bytes());
        }
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A call for a token or a key.
async fn fetch(request: RequestBuilder, form: &[(&str, &str)]) -> Result<Value, Cause> {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
    let response = request.send().await.map_err(|error| super::client::cause(&error))?;
    if matches!(response.status().as_u16(), 400 | 401 | 403) {
        return Err(Cause::Denied);
    }
    let body = super::client::bounded(response, 64 * 1024).await?;
    serde_json::from_slice(&body).map_err(|_| Cause::InvalidSourceResponse)
}

impl DigestOfFields {
    fn apply(&self, mut request: RequestBuilder) -> Result<RequestBuilder, Cause> {
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
pub(super) const DIGEST_INPUTS: [&str; 6] = ["app_key", "secret", "time_millis", "time_seconds", "uuid", "sign"];

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

fn sensitive(text: &str) -> Result<HeaderValue, Cause> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Cause::Misconfigured)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Milliseconds since 1970: departments compare them with their own clocks.
fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis())
}
