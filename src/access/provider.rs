//! Somebody else's signing in: an OpenID Connect provider (OpenID Connect Core 1.0), asked by the authorization code flow with
//! PKCE (RFC 7636). Its ID tokens are checked as access tokens are, by the same code.
//!
//! Why not by the `openidconnect` crate (4): it would bring its own JOSE over other cryptography (rsa, p256, ed25519-dalek) and a
//! second way to read keys, beside the ones that are here; what is left is two requests.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{RequestBuilder, Url};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::json;
use super::jwt::{self, IdTokenTerms};
use super::keyring::{KeyReadError, body, client};
use super::keys::KeySet;
use super::refusal::JwtRefusal;
use crate::callers::SignatureAlgorithm;

/// A provider, and who we are to it.
#[derive(Clone)]
pub struct ProviderTerms {
    /// Its name: the `iss` of its tokens, and where its description is found.
    pub issuer: String,
    /// Who we are to it.
    pub client: String,
    /// What shows that.
    pub secret: Zeroizing<String>,
    /// Where it sends people back to.
    pub redirect: String,
    /// What it is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// How its tokens may be signed.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The file of authorities that its certificate must come from; `None`: the system's.
    pub ca: Option<PathBuf>,
}

impl fmt::Debug for ProviderTerms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ProviderTerms").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A provider, with what it has said of itself lately.
#[derive(Debug)]
pub struct Provider {
    terms: ProviderTerms,
    known: Mutex<Option<Known>>,
}

/// What a provider has said of itself.
#[derive(Debug, Clone)]
struct Known {
    authorization: Url,
    token: Url,
    keys: Arc<KeySet>,
    read: Instant,
}

/// What is kept of somebody who is on the way to the provider, until he comes back.
pub struct Journey {
    /// Binds the way back to the way there.
    pub state: String,
    /// Binds the ID token to both.
    pub nonce: String,
    /// Shows the provider that whoever fetches the token is who sent the person (RFC 7636).
    pub verifier: Zeroizing<String>,
}

impl fmt::Debug for Journey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Journey(…)")
    }
}

/// Why nobody is signed in by the provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be asked.
    #[error(transparent)]
    Unreachable(#[from] KeyReadError),
    /// What it says of itself is not what a provider says, or is of another one.
    #[error("its description is not one of this provider: {0}")]
    Description(&'static str),
    /// It gives no token for the code.
    #[error("it gives no token for the code: status {0}")]
    NoToken(u16),
    /// The token does not hold.
    #[error("its ID token does not hold: {0}")]
    Token(#[from] JwtRefusal),
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    NoEntropy,
}

/// How long its description and its keys are believed; after how long an unknown key has them read again.
const BELIEVED: Duration = Duration::from_mins(10);
const AGAIN: Duration = Duration::from_secs(10);

impl Journey {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn begin() -> Result<Self, ProviderError> {
        let random = || {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *bytes).map_err(|_| ProviderError::NoEntropy)?;
            Ok::<_, ProviderError>(URL_SAFE_NO_PAD.encode(*bytes))
        };
        Ok(Self { state: random()?, nonce: random()?, verifier: Zeroizing::new(random()?) })
    }
}

impl Provider {
    /// A provider on these terms.
    #[must_use]
    pub fn new(terms: ProviderTerms) -> Self {
        Self { terms, known: Mutex::default() }
    }

    /// Its name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.terms.issuer
    }

    /// Where somebody goes to be signed in.
    ///
    /// # Errors
    /// If it does not say where that is.
    pub async fn address(&self, journey: &Journey) -> Result<String, ProviderError> {
        let mut address = self.known(BELIEVED).await?.authorization;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(journey.verifier.as_bytes()));
        let scopes = std::iter::once("openid").chain(self.terms.scopes.iter().map(String::as_str));
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.terms.client),
            ("redirect_uri", &self.terms.redirect),
            ("scope", &scopes.collect::<Vec<_>>().join(" ")),
            ("state", &journey.state),
            ("nonce", &journey.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(address.into())
    }

    /// What the provider says of whoever has come back with this code.
    ///
    /// # Errors
    /// If it says nothing that holds.
    pub async fn redeem(
        &self,
        code: &str,
        journey: &Journey,
        now: Timestamp,
    ) -> Result<Map<String, Value>, ProviderError> {
        let known = self.known(BELIEVED).await?;
        let token = self.token(&known, code, journey).await?;
        let terms = IdTokenTerms {
            issuer: &self.terms.issuer,
            client: &self.terms.client,
            algorithms: &self.terms.algorithms,
            nonce: &journey.nonce,
        };
        match jwt::read_id_token(&token, &terms, &known.keys, now) {
            // It may have a new key.
            Err(JwtRefusal::UnknownKey) => {
                let keys = self.known(AGAIN).await?.keys;
                Ok(jwt::read_id_token(&token, &terms, &keys, now)?)
            }
            read => Ok(read?),
        }
    }

    async fn token(&self, known: &Known, code: &str, journey: &Journey) -> Result<Zeroizing<String>, ProviderError> {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.terms.redirect),
            ("code_verifier", &journey.verifier),
        ];
        let form = form.map(|(name, value)| format!("{name}={}", encode(value))).join("&");
        // RFC 6749 section 2.3.1: both are encoded as in a form first.
        let shown = Zeroizing::new(format!("{}:{}", encode(&self.terms.client), encode(&self.terms.secret)));
        let request = client(self.terms.ca.as_deref())?
            .post(known.token.clone())
            .header("authorization", format!("Basic {}", STANDARD.encode(shown.as_bytes())))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let (status, text) = ask(request).await?;
        let reply = if status == 200 { json::object(&text) } else { None }.ok_or(ProviderError::NoToken(status))?;
        let token = reply.get("id_token").and_then(Value::as_str).ok_or(ProviderError::NoToken(status))?;
        Ok(Zeroizing::new(token.to_owned()))
    }

    /// What it says of itself, read again if that is older than this.
    async fn known(&self, oldest: Duration) -> Result<Known, ProviderError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.read.elapsed() < oldest) {
            return Ok(known);
        }
        let address = format!("{}/.well-known/openid-configuration", self.terms.issuer.trim_end_matches('/'));
        let http = client(self.terms.ca.as_deref())?;
        let (status, text) = ask(http.get(address)).await?;
        let said = if status == 200 { json::object(&text) } else { None };
        let said = said.ok_or(ProviderError::Description("it is no JSON object"))?;
        let text = |name: &'static str| said.get(name).and_then(Value::as_str).ok_or(ProviderError::Description(name));
        if text("issuer")? != self.terms.issuer {
            return Err(ProviderError::Description("issuer"));
        }
        let safe = |name| safe_address(text(name)?).ok_or(ProviderError::Description(name));
        let (authorization, token, jwks) =
            (safe("authorization_endpoint")?, safe("token_endpoint")?, safe("jwks_uri")?);
        let (status, text) = ask(http.get(jwks)).await?;
        if status != 200 {
            return Err(KeyReadError::Status(status).into());
        }
        let keys = Arc::new(KeySet::read(text).map_err(KeyReadError::Keys)?);
        let known = Known { authorization, token, keys, read: Instant::now() };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(known)
    }
}

async fn ask(request: RequestBuilder) -> Result<(u16, Vec<u8>), KeyReadError> {
    let response = request.header("accept", "application/json").send().await;
    let response =
        response.map_err(|error| if error.is_timeout() { KeyReadError::Slow } else { KeyReadError::Unreachable })?;
    Ok((response.status().as_u16(), body(response).await?))
}

/// An address that nobody on the way can read or change: `https://`, or `http://` of this machine.
fn safe_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_local;
    (is_safe && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()).then_some(url)
}
