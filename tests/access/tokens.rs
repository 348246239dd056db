//! Callers with access tokens.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;

use super::authority::Authority;
use super::gateway::{Gateway, token};
use super::issuer::{Key, KeyServer, Says, table, unsigned};

#[tokio::test]
async fn a_token_of_each_algorithm_opens() {
    let keys = [("EdDSA", Key::edwards()), ("ES256", Key::curve()), ("RS256", Key::rsa()), ("PS256", Key::rsa())];
    let server = KeyServer::start(Says::Keys(keys.iter().map(|(name, key)| key.jwk(name)).collect())).await;
    let mut gateway = Gateway::new();
    gateway.agencies(&[("fund", "")]);
    gateway.configure(&table(&format!("jwks = \"{}\"", server.address), ""));
    gateway.start().await;
    for (algorithm, key) in &keys {
        let token = key.token(algorithm, algorithm, &json!({}));
        assert_eq!(gateway.me(None, Some(&token)).await.agency(), "fund");
        // Remembered by now.
        assert_eq!(gateway.me(None, Some(&token)).await.agency(), "fund");
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn every_other_token_is_refused_and_the_log_says_why() {
    let (key, other) = (Key::edwards(), Key::edwards());
    let curve = Key::curve();
    let server = KeyServer::start(Says::Keys(vec![key.jwk("k1"), curve.jwk("k2")])).await;
    let mut gateway = Gateway::new();
    gateway.agencies(&[("fund", ""), ("bank", &token("bank"))]);
    gateway.configure(&table(&format!("jwks = \"{}\"", server.address), ""));
    gateway.start().await;
    let good = key.token("EdDSA", "k1", &json!({}));
    assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    let none = format!("{}.", unsigned(&json!({"alg": "none", "typ": "at+jwt", "kid": "k1"}), &json!({})));
    let keyed = unsigned(&json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}), &json!({}));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.public()), keyed.as_bytes());
    let keyed = format!("{keyed}.{}", BASE64.encode(tag));
    let now = jiff::Timestamp::now().as_second();
    let with = |change: serde_json::Value| key.token("EdDSA", "k1", &change);
    for (token, why) in [
        (none, "its alg is not one that its issuer may use"),
        (keyed, "its alg is not one that its issuer may use"),
        (key.token("EdDSA", "k3", &json!({})), "its issuer has no key of its kid"),
        (key.token("EdDSA", "k2", &json!({})), "the key of its kid is not for its alg"),
        (other.token("EdDSA", "k1", &json!({})), "its signature is wrong"),
        (with(json!({"exp": now - 3600, "iat": now - 7200})), "it has expired"),
        (with(json!({"nbf": now + 3600})), "it is not good yet"),
        (with(json!({"iat": now + 3600, "exp": now + 7200})), "its iat lies in the future"),
        (with(json!({"exp": now + 999_999})), "it is good for longer than tokens of its issuer may be"),
        (with(json!({"aud": "somebody else"})), "its aud is somebody else"),
        (with(json!({"iss": "https://id.evil.cn"})), "its issuer is none of those that are configured"),
        (with(json!({"client_id": "nobody"})), "the claim that names the agency names none that is known"),
        (with(json!({"cnf": {"x5t#S256": BASE64.encode([1; 32])}})), "the connection has none"),
    ] {
        gateway.me(None, Some(&token)).await.is_refused("The token is not valid");
        gateway.has_logged(why).await;
        assert!(!gateway.log().contains(&token), "a token is in the log");
    }
    for raw in [format!("Bearer {good},"), format!("Bearer \"{good}\""), format!("Bearer {good} x")] {
        let reply = gateway.client(None).get(gateway.url("/v1/me")).header("authorization", raw);
        let reply = super::gateway::send(reply).await;
        assert_eq!((reply.status, reply.challenge.as_str()), (401, "Bearer realm=\"heyan\", error=\"invalid_token\""));
    }
    assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    assert_eq!(gateway.me(None, Some("bank")).await.agency(), "bank");
}

#[tokio::test]
async fn a_bound_token_needs_its_certificate() {
    let (key, authority) = (Key::edwards(), Authority::new("root"));
    let mut gateway = Gateway::with_tls(&authority, "");
    gateway.write("keys.json", &json!({"keys": [key.jwk("k1")]}).to_string());
    gateway.agencies(&[("fund", ""), ("bank", "certificates = [\"san:bank.cn\"]")]);
    let issuer = table(&format!("jwks_file = \"{}\"", gateway.path("keys.json").display()), "certificate_bound = true");
    gateway.configure(&format!("{}\n{issuer}", gateway.tls()));
    gateway.start().await;
    let (own, other, bank) = (authority.client(&["a.cn"]), authority.client(&["a.cn"]), authority.client(&["bank.cn"]));
    let bound =
        |thumbprint: &[u8; 32]| key.token("EdDSA", "k1", &json!({"cnf": {"x5t#S256": BASE64.encode(thumbprint)}}));
    let token = bound(&own.thumbprint);
    assert_eq!(gateway.me(Some(&own), Some(&token)).await.agency(), "fund");
    gateway.me(Some(&other), Some(&token)).await.is_refused("The token is not valid");
    gateway.has_logged("it is bound to another certificate").await;
    gateway.me(None, Some(&token)).await.is_refused("The token is not valid");
    gateway.me(Some(&own), Some(&key.token("EdDSA", "k1", &json!({})))).await.is_refused("The token is not valid");
    gateway.has_logged("it is not bound to a certificate, and has to be").await;
    // Bound to a certificate that is known to be another agency's.
    gateway.me(Some(&bank), Some(&bound(&bank.thumbprint))).await.is_refused("two agencies");
}
