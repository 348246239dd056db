//! Proving who we are. Secrets are never shown.

mod digest;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::text::CredentialsIn;
use crate::domain::{Cause, TokenHash};

pub(super) use digest::{DIGEST_INPUTS, DigestOfFields};

/// A secret, which shows itself to nobody.
#[derive(Clone)]
pub(super) struct Secret {
    text: Zeroizing<String>,
    /// Where the operator keeps it, in words; `None`: a department gave it.
    place: Option<Arc<str>>,
}

impl Secret {
    /// One that a department gave.
    fn given(text: String) -> Self {
        Self { text: Zeroizing::new(text), place: None }
    }

    /// One that the operator keeps.
    pub(super) fn kept(text: String, place: String) -> Self {
        Self { text: Zeroizing::new(text), place: Some(place.into()) }
    }

    fn reveal(&self) -> &str {
        &self.text
    }

    /// The hash by which whoever shows it is known.
    pub(super) fn token_hash(&self) -> TokenHash {
        TokenHash::of(&self.text)
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

/// A token or a working key that serves for a while. Those who need it at once wait for one fetch.
#[derive(Default)]
pub(super) struct Cached(Mutex<Option<Fetched>>);

struct Fetched {
    secret: Secret,
    when: Instant,
    until: Instant,
}

impl Fetched {
    fn new(secret: Secret, lifetime: Duration) -> Self {
        // It must not expire on its way to the department.
        let margin = (lifetime / 10).min(Duration::from_secs(30));
        let when = Instant::now();
        Self { secret, when, until: when + lifetime.saturating_sub(margin) }
    }
}

/// What was fetched so lately is not what the department refuses.
const YOUNG: Duration = Duration::from_secs(5);

impl fmt::Debug for Cached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cached(…)")
    }
}

impl Cached {
    async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<Secret, Cause>
    where
        F: Future<Output = Result<(Secret, Duration), Cause>>,
    {
        let mut slot = self.0.lock().await;
        let now = Instant::now();
        if let Some(fetched) = slot.as_ref().filter(|fetched| now < fetched.until) {
            return Ok(fetched.secret.clone());
        }
        // Boxed: it would make the future of every exchange as large.
        let (secret, lifetime) = Box::pin(fetch()).await?;
        *slot = Some(Fetched::new(secret.clone(), lifetime));
        Ok(secret)
    }

    async fn put(&self, secret: Secret, lifetime: Duration) {
        *self.0.lock().await = Some(Fetched::new(secret, lifetime));
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
                let token = oauth2.token.get(|| oauth2.fetch(client)).await?;
                let value = Zeroizing::new(format!("Bearer {}", token.reveal()));
                Ok(request.header(AUTHORIZATION, sensitive(&value)?))
            }
            Self::ExchangePlatform(platform) => {
                let service = service.unwrap_or_default();
                let key = platform.key.get(|| platform.fetch(client, service)).await?;
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

/// What has to be fetched before a department can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An OAuth 2 token.
    Token,
    /// A working key of the exchange platform.
    WorkingKey,
}

impl Proof {
    /// The request for the token or the working key, where one is needed.
    pub(super) fn credential(
        &self,
        client: &Client,
        service: &str,
    ) -> Option<(Credential, Result<RequestBuilder, Cause>)> {
        match self {
            Self::OAuth2(oauth2) => Some((Credential::Token, Ok(oauth2.request(client)))),
            Self::ExchangePlatform(platform) => Some((Credential::WorkingKey, platform.request(client, service))),
            Self::None
            | Self::Header { .. }
            | Self::Query { .. }
            | Self::Bearer { .. }
            | Self::Basic { .. }
            | Self::Digest(_) => None,
        }
    }

    /// Takes the token or the working key out of a reply. Returns whether there was one.
    pub(super) async fn take(&self, reply: &Value) -> bool {
        let (cached, read) = match self {
            Self::OAuth2(oauth2) => (&oauth2.token, OAuth2::read(reply)),
            Self::ExchangePlatform(platform) => (&platform.key, platform.read(reply)),
            _ => return false,
        };
        let Some((secret, lifetime)) = read else { return false };
        cached.put(secret, lifetime).await;
        true
    }

    /// Where the operator keeps the secret, in words.
    pub(super) fn secret_place(&self) -> Option<&str> {
        let secret = match self {
            Self::None => return None,
            Self::Header { secret, .. }
            | Self::Query { secret, .. }
            | Self::Bearer { secret }
            | Self::Basic { secret, .. } => secret,
            Self::OAuth2(oauth2) => &oauth2.secret,
            Self::ExchangePlatform(platform) => &platform.first_key,
            Self::Digest(digest) => &digest.secret,
        };
        secret.place.as_deref()
    }

    /// Whether something has to be fetched before a department can be asked.
    pub(super) fn is_fetched(&self) -> bool {
        matches!(self, Self::OAuth2(_) | Self::ExchangePlatform(_))
    }

    /// Whether what proves who we are depends on the time.
    pub(super) fn depends_on_time(&self) -> bool {
        matches!(self, Self::ExchangePlatform(_) | Self::Digest(_))
    }
}

impl OAuth2 {
    async fn fetch(&self, client: &Client) -> Result<(Secret, Duration), Cause> {
        Self::read(&fetch(self.request(client)).await?).ok_or(Cause::Denied)
    }

    fn request(&self, client: &Client) -> RequestBuilder {
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
        with_form(request, &form)
    }

    /// The token in a reply, and how long it serves.
    fn read(reply: &Value) -> Option<(Secret, Duration)> {
        let token = reply.get("access_token").and_then(Value::as_str)?;
        let lifetime = reply.get("expires_in").and_then(Value::as_u64).unwrap_or(60);
        Some((Secret::given(token.to_owned()), Duration::from_secs(lifetime)))
    }
}

impl ExchangePlatform {
    async fn fetch(&self, client: &Client, service: &str) -> Result<(Secret, Duration), Cause> {
        self.read(&fetch(self.request(client, service)?).await?).ok_or(Cause::Denied)
    }

    fn request(&self, client: &Client, service: &str) -> Result<RequestBuilder, Cause> {
        let service = self.key_service.as_deref().unwrap_or(service);
        let time = millis().to_string();
        let sign = self.sign(&self.first_key, service, &time)?;
        let form = [("rid", self.requester.as_str()), ("sid", service), ("rtime", &time), ("sign", &sign)];
        Ok(with_form(client.post(self.key_url.clone()), &form))
    }

    /// The key in a reply, and how long it serves.
    fn read(&self, reply: &Value) -> Option<(Secret, Duration)> {
        let key = reply.pointer(&self.key_at).and_then(Value::as_str)?;
        Some((Secret::given(key.to_owned()), self.refresh))
    }

    fn sign(&self, key: &Secret, service: &str, time: &str) -> Result<String, Cause> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).map_err(|_| Cause::Misconfigured)?;
        for part in [service, &self.requester, time] {
            mac.update(part.as_bytes());
        }
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

fn with_form(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"))
}

/// A call for a token or a key.
async fn fetch(request: RequestBuilder) -> Result<Value, Cause> {
    let response = request.send().await.map_err(|error| super::client::cause(&error))?;
    if DENIED.contains(&response.status().as_u16()) {
        return Err(Cause::Denied);
    }
    let body = super::client::bounded(response, MOST_CREDENTIAL).await?;
    serde_json::from_slice(&body).map_err(|_| Cause::InvalidSourceResponse)
}

/// The statuses by which a department says that it gives us no token or key.
pub(super) const DENIED: [u16; 3] = [400, 401, 403];

/// The most bytes of a reply that holds a token or a key.
pub(super) const MOST_CREDENTIAL: usize = 64 * 1024;

fn sensitive(text: &str) -> Result<HeaderValue, Cause> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Cause::Misconfigured)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Milliseconds since 1970: departments compare them with their own clocks.
fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis())
}
