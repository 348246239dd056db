use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A small OpenID Connect provider.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    key: Ed25519KeyPair,
    /// What each code is good for: the challenge, and the token.
    codes: HashMap<String, (String, String)>,
    /// What is said at a path instead of what is so; `None`: nothing, ever.
    lies: HashMap<&'static str, Option<(u16, String)>>,
}

pub(crate) const DESCRIPTION: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/jwks";
pub(crate) const TOKEN: &str = "/token";

pub(crate) const CLIENT: &str = "heyan";
pub(crate) const SECRET: &str = "a secret: with ünusual characters";

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let key = Ed25519KeyPair::generate().unwrap();
        let provider =
            Self { address, inner: Arc::new(Mutex::new(Inner { key, codes: HashMap::new(), lies: HashMap::new() })) };
        let router = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it says this at a path; `None`: nothing, ever.
    pub(crate) fn lies(&self, path: &'static str, said: Option<(u16, &str)>) {
        self.inner.lock().unwrap().lies.insert(path, said.map(|(status, text)| (status, text.to_owned())));
    }

    /// What is so.
    pub(crate) fn is_honest(&self) {
        self.inner.lock().unwrap().lies.clear();
    }

    /// Signs somebody in who has come with this address, and says with which code he goes back. `change` changes the token's claims.
    pub(crate) fn code(&self, address: &str, change: impl FnOnce(&mut Value)) -> String {
        self.code_of(address, &json!({"alg": "EdDSA", "kid": "k1"}), change, None)
    }

    /// With this header, and signed by another key.
    pub(crate) fn forged(&self, address: &str, header: &Value, key: &Ed25519KeyPair) -> String {
        self.code_of(address, header, |_| (), Some(key))
    }

    fn code_of(
        &self,
        address: &str,
        header: &Value,
        change: impl FnOnce(&mut Value),
        key: Option<&Ed25519KeyPair>,
    ) -> String {
        let given = query(address);
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT, "sub": "4711", "iat": 1_800_000_000, "exp": 1_800_000_300,
            "nonce": given["nonce"], "preferred_username": "sun", "name": "孙工", "groups": ["all", "ops"],
        });
        change(&mut claims);
        let mut inner = self.inner.lock().unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(&claims));
        let signature = key.unwrap_or(&inner.key).sign(signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let code = format!("code-{}", inner.codes.len());
        inner.codes.insert(code.clone(), (given["code_challenge"].clone(), token));
        code
    }
}

/// What an address asks with.
pub(crate) fn query(address: &str) -> HashMap<String, String> {
    let url = reqwest::Url::parse(address).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

async fn answer(State(provider): State<Provider>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let lie = provider.inner.lock().unwrap().lies.get(uri.path()).cloned();
    match (lie, uri.path()) {
        (Some(Some((status, text))), _) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        (Some(None), _) => std::future::pending().await,
        (None, DESCRIPTION) => provider.describe(&provider.issuer()).into_response(),
        (None, KEYS) => provider.keys().into_response(),
        (None, TOKEN) => provider.token(&headers, &body).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Provider {
    /// What a provider of this name says of itself here.
    pub(crate) fn describe(&self, issuer: &str) -> String {
        let base = self.issuer();
        json!({
            "issuer": issuer, "authorization_endpoint": format!("{base}/authorize?tenant=1"),
            "token_endpoint": format!("{base}{TOKEN}"), "jwks_uri": format!("{base}{KEYS}"),
        })
        .to_string()
    }

    fn keys(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.inner.lock().unwrap().key.public_key().as_ref());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x}]}).to_string()
    }

    /// RFC 6749 section 4.1.3, RFC 7636 section 4.6.
    fn token(&self, headers: &HeaderMap, body: &str) -> Result<String, StatusCode> {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let shown = format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(SECRET))));
        if headers["authorization"] != shown {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let form = query(&format!("http://form/?{body}"));
        let found = self.inner.lock().unwrap().codes.remove(&form["code"]);
        let (challenge, token) = found.ok_or(StatusCode::BAD_REQUEST)?;
        let is_same = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes())) == challenge;
        let is_code =
            form["grant_type"] == "authorization_code" && form["redirect_uri"].ends_with("/sign-in/oidc/back");
        if !is_code || !is_same {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(json!({"access_token": "x", "token_type": "Bearer", "id_token": token}).to_string())
    }
}
