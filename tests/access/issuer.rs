//! An issuer of access tokens, and the server of its keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A key of an issuer.
pub(crate) enum Key {
    Edwards(Ed25519KeyPair),
    Curve(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Key {
    pub(crate) fn edwards() -> Self {
        Self::Edwards(Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn curve() -> Self {
        Self::Curve(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    /// The public key as its certificate would hold it.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Edwards(key) => key.public_key().as_ref(),
            Self::Curve(key) => key.public_key().as_ref(),
            Self::Rsa(key) => key.public_key().as_ref(),
        }
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        let (public, part) = (self.public(), |bytes: &[u8]| BASE64.encode(bytes));
        match self {
            Self::Edwards(_) => json!({"kid": id, "kty": "OKP", "crv": "Ed25519", "x": part(public)}),
            Self::Curve(_) => {
                json!({"kid": id, "kty": "EC", "crv": "P-256", "x": part(&public[1..33]), "y": part(&public[33..])})
            }
            // The DER of RFC 8017 appendix A.1.1: a modulus of 257 bytes, the first of them zero, and the exponent 65537.
            Self::Rsa(_) => json!({"kid": id, "kty": "RSA", "n": part(&public[9..265]), "e": "AQAB"}),
        }
    }

    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Edwards(key) => key.sign(message).as_ref().to_vec(),
            Self::Curve(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let padding: &dyn signature::RsaEncoding = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    other => panic!("{other}"),
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A token with these claims beside, or instead of, those of a good one.
    pub(crate) fn token(&self, algorithm: &str, id: &str, change: &Value) -> String {
        let signed = unsigned(&json!({"alg": algorithm, "typ": "at+jwt", "kid": id}), change);
        format!("{signed}.{}", BASE64.encode(self.sign(algorithm, signed.as_bytes())))
    }
}

/// The first two parts of a token.
pub(crate) fn unsigned(header: &Value, change: &Value) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "iss": "https://id.gov.cn", "aud": "heyan", "iat": now, "exp": now + 600, "jti": "1",
        "sub": "王五", "client_id": "fund"
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// The server of an issuer's keys.
pub(crate) struct KeyServer {
    pub(crate) address: String,
    state: Arc<State>,
}

struct State {
    asked: AtomicUsize,
    says: Mutex<Says>,
}

/// What it says to whoever asks.
#[derive(Clone)]
pub(crate) enum Says {
    Keys(Vec<Value>),
    /// A status without a body, and where it leads.
    Status(u16, String),
    /// As many bytes as anybody wants to read.
    Endless,
    /// Nothing, ever.
    Nothing,
}

impl KeyServer {
    pub(crate) async fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/jwks", listener.local_addr().unwrap());
        let state = Arc::new(State { asked: AtomicUsize::new(0), says: Mutex::new(says) });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                shared.asked.fetch_add(1, Ordering::SeqCst);
                let says = shared.says.lock().unwrap().clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    // Whoever has gone away reads no reply.
                    let _ = stream.read(&mut request).await;
                    let reply = match says {
                        Says::Keys(keys) => {
                            let body = json!({"keys": keys}).to_string();
                            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                        }
                        Says::Status(status, to) => {
                            format!("HTTP/1.1 {status} x\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
                        }
                        Says::Endless => {
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
                            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
                            return;
                        }
                        Says::Nothing => return std::future::pending().await,
                    };
                    let _ = stream.write_all(reply.as_bytes()).await;
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn says(&self, says: Says) {
        *self.state.says.lock().unwrap() = says;
    }

    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

/// The issuer in the gateway's file. `lines` come last.
pub(crate) fn table(keys: &str, lines: &str) -> String {
    format!(
        "[[issuers]]\nissuer = \"https://id.gov.cn\"\naudience = \"heyan\"\n{keys}\n\
         algorithms = [\"EdDSA\", \"ES256\", \"RS256\", \"PS256\"]\nagency_claim = \"client_id\"\nofficer_claim = \"sub\"\n{lines}\n"
    )
}
