//! Keys of an issuer that change, and a server of them that fails.

use serde_json::json;

use super::gateway::Gateway;
use super::issuer::{Key, KeyServer, Says, table};
use super::until::until;

async fn gateway(server: &KeyServer, lines: &str) -> Gateway {
    let mut gateway = Gateway::new();
    gateway.agencies(&[("fund", "")]);
    gateway.configure(&table(&format!("jwks = \"{}\"", server.address), lines));
    gateway.start().await;
    gateway
}

#[tokio::test]
async fn a_new_key_is_looked_for_once_and_an_old_one_goes() {
    let (old, new) = (Key::edwards(), Key::edwards());
    let server = KeyServer::start(Says::Keys(vec![old.jwk("old")])).await;
    let gateway = gateway(&server, "").await;
    let (by_old, by_new) = (old.token("EdDSA", "old", &json!({})), new.token("EdDSA", "new", &json!({})));
    assert_eq!(gateway.me(None, Some(&by_old)).await.agency(), "fund");
    server.says(Says::Keys(vec![new.jwk("new")]));
    assert_eq!(gateway.me(None, Some(&by_new)).await.agency(), "fund");
    gateway.me(None, Some(&by_old)).await.is_refused("The token is not valid");
    assert_eq!(server.asked(), 2);
    // Whoever invents keys has them looked for once in a while at the most.
    for number in 0..50 {
        let invented = new.token("EdDSA", &format!("k{number}"), &json!({}));
        gateway.me(None, Some(&invented)).await.is_refused("The token is not valid");
    }
    assert!(server.asked() <= 8, "it was asked {} times", server.asked());
}

#[tokio::test]
async fn keys_serve_while_their_server_is_down() {
    let key = Key::edwards();
    let server = KeyServer::start(Says::Keys(vec![key.jwk("k1")])).await;
    let gateway = gateway(&server, "refresh = \"50ms\"").await;
    let good = key.token("EdDSA", "k1", &json!({}));
    assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    let unused = Says::Keys(vec![Key::edwards().jwk("k2")]);
    let lure = KeyServer::start(unused).await;
    for (says, why) in [
        (Says::Status(500, String::new()), "answers with status 500"),
        (Says::Status(302, lure.address.clone()), "answers with status 302"),
        (Says::Endless, "it has more than 131072 bytes"),
        (Says::Keys(vec![json!({"kid": "k1", "kty": "oct", "k": "AAAA"})]), "it holds a private or secret key"),
        (Says::Keys(Vec::new()), "it holds no key that signs tokens"),
        (Says::Nothing, "does not answer within 5 seconds"),
    ] {
        server.says(says);
        gateway.has_logged(why).await;
        assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    }
    assert_eq!(lure.asked(), 0);
}

#[tokio::test]
async fn keys_that_are_too_old_serve_nobody() {
    let key = Key::edwards();
    let server = KeyServer::start(Says::Keys(vec![key.jwk("k1")])).await;
    let gateway = gateway(&server, "refresh = \"50ms\"\nkeep = \"0s\"").await;
    let good = key.token("EdDSA", "k1", &json!({}));
    assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    server.says(Says::Status(503, String::new()));
    until("the keys are too old", async || (gateway.me(None, Some(&good)).await.status == 401).then_some(())).await;
    gateway.has_logged("the keys of its issuer are not there").await;
    server.says(Says::Keys(vec![key.jwk("k1")]));
    until("the keys are there again", async || (gateway.me(None, Some(&good)).await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn a_reload_keeps_keys_and_takes_issuers_away() {
    let key = Key::edwards();
    let server = KeyServer::start(Says::Keys(vec![key.jwk("k1")])).await;
    let gateway = gateway(&server, "").await;
    let good = key.token("EdDSA", "k1", &json!({}));
    assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    // Down by now: what was read before serves the new configuration.
    server.says(Says::Status(500, String::new()));
    gateway.agencies(&[("fund", ""), ("bank", "")]);
    gateway.signal("HUP");
    let bank = key.token("EdDSA", "k1", &json!({"client_id": "bank"}));
    until("the bank is known", async || (gateway.me(None, Some(&bank)).await.status == 200).then_some(())).await;
    assert_eq!(gateway.me(None, Some(&good)).await.agency(), "fund");
    gateway.configure("");
    gateway.signal("HUP");
    until("the issuer is gone", async || (gateway.me(None, Some(&good)).await.status == 401).then_some(())).await;
    assert_eq!(server.asked(), 1);
}
