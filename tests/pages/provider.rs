use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
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
}

pub(crate) const CLIENT: &str = "heyan";
pub(crate) const SECRET: &str = "a secret: with ünusual characters";

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let key = Ed25519KeyPair::generate().unwrap();
        let provider = Self { address, inner: Arc::new(Mutex::new(Inner { key, codes: HashMap::new() })) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Signs somebody in who has come with this address, and says with which code he goes back. `change` changes the token's claims.
    pub(crate) fn code(&self, address: &str, change: impl FnOnce(&mut Value)) -> String {
        let given = query(address);
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT, "sub": "4711", "iat": 1_800_000_000, "exp": 1_800_000_300,
            "nonce": given["nonce"], "preferred_username": "sun", "name": "孙工", "groups": ["all", "ops"],
        });
        change(&mut claims);
        let mut inner = self.inner.lock().unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "k1"})), part(&claims));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(inner.key.sign(signed.as_bytes())));
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

async fn describe(State(provider): State<Provider>) -> String {
    let issuer = provider.issuer();
    json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize?tenant=1"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
    })
    .to_string()
}

async fn keys(State(provider): State<Provider>) -> String {
    let x = URL_SAFE_NO_PAD.encode(provider.inner.lock().unwrap().key.public_key().as_ref());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x}]}).to_string()
}

/// RFC 6749 section 4.1.3, RFC 7636 section 4.6.
async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Result<String, StatusCode> {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let shown = format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(SECRET))));
    if headers["authorization"] != shown {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let form = query(&format!("http://form/?{body}"));
    let (challenge, token) =
        provider.inner.lock().unwrap().codes.remove(&form["code"]).ok_or(StatusCode::BAD_REQUEST)?;
    let is_same = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes())) == challenge;
    if form["grant_type"] != "authorization_code" || !is_same || !form["redirect_uri"].ends_with("/sign-in/oidc/back") {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(json!({"access_token": "x", "token_type": "Bearer", "id_token": token}).to_string())
}
