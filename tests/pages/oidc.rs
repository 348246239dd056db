use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::browser::{Browser, Shown};
use crate::house::{home, user};
use crate::provider::{CLIENT, DESCRIPTION, KEYS, Provider, SECRET, TOKEN, query};
use crate::scene::{PASSWORD, Scene};

/// A gateway whose people another house signs in too.
async fn scene(provider: &Provider) -> Scene {
    let oidc = format!(
        "\n[oidc]\nissuer = \"{}\"\nname = \"统一认证\"\nclient = \"{CLIENT}\"\nsecret = {{ env = \"OIDC_SECRET\" }}\n\
         redirect = \"http://127.0.0.1/sign-in/oidc/back\"\nalgorithms = [\"EdDSA\"]\nuser_claim = \"preferred_username\"\n\
         role_claim = \"groups\"\nroles = {{ ops = \"operator\", audit = \"supervisor\" }}\n",
        provider.issuer()
    );
    Scene::loaded(&oidc, &[("OIDC_SECRET", SECRET)], |_| ()).await
}

/// Goes to the other house; the address there.
async fn leave(browser: &mut Browser, page: &Shown) -> String {
    let away = browser.submit(page, "/sign-in/oidc", &[]).await;
    assert_eq!(away.status, 200, "{}", away.text);
    let address = away.text.split("content=\"0;url=").nth(1).unwrap().split('"').next().unwrap();
    address.replace("&amp;", "&").replace("&#38;", "&")
}

async fn come_back(browser: &mut Browser, code: &str, state: &str) -> Shown {
    browser.get(&format!("/sign-in/oidc/back?code={code}&state={state}")).await
}

#[tokio::test]
async fn whom_another_house_signs_in_is_in() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in?then=/account").await;
    assert!(page.text.contains("用统一认证登录"));
    let address = leave(&mut browser, &page).await;
    let asked = query(&address);
    assert_eq!((asked["tenant"].as_str(), asked["response_type"].as_str()), ("1", "code"));
    assert_eq!((asked["code_challenge_method"].as_str(), asked["scope"].as_str()), ("S256", "openid"));
    let code = provider.code(&address, |_| ());
    let entered = come_back(&mut browser, &code, &asked["state"]).await;
    assert_eq!((entered.status, entered.location()), (303, "/account"), "{}", entered.text);
    assert_eq!(browser.who().await, Some(user("sun")));
    let again = come_back(&mut scene.browser(), &code, &asked["state"]).await;
    assert_eq!(again.status, 422, "nobody comes back twice");
    let again = come_back(&mut browser, &code, &asked["state"]).await;
    assert_eq!(again.status, 422, "nor in the same browser");
    let known = scene.desk().account(&user("sun")).await.unwrap().unwrap();
    assert!(known.password.is_none() && known.account.name == "孙工");
    let acts: Vec<Value> = scene.entries().iter().map(|entry| entry["act"].clone()).collect();
    assert_eq!(acts, ["new-account", "sign-in"]);
    assert_eq!(scene.browser().sign_in("sun", PASSWORD).await.status, 422, "there is no password of hers here");
}

#[tokio::test]
async fn a_token_that_does_not_hold_lets_nobody_in() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let changes: [(&str, Value); 9] = [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("aud", json!("somebody")),
        ("aud", json!([CLIENT, "somebody"])),
        ("azp", json!("somebody")),
        ("iss", json!("https://id.example")),
        ("exp", json!(1_799_999_000)),
        ("iat", json!(1_800_001_000)),
        ("groups", json!(["all"])),
    ];
    for (claim, value) in changes {
        let mut browser = scene.browser();
        let page = browser.get("/sign-in").await;
        let address = leave(&mut browser, &page).await;
        let code = provider.code(&address, |claims| claims[claim] = value.clone());
        let refused = come_back(&mut browser, &code, &query(&address)["state"]).await;
        assert_eq!((refused.status, refused.title()), (422, "有误：登录"), "{claim}: {value}");
        assert!(browser.who().await.is_none(), "{claim}: {value}");
    }
    assert!(scene.desk().account(&user("sun")).await.unwrap().is_none());
}

/// What somebody is shown whom the other house has not signed in: a page that says so, and no session.
async fn is_refused(browser: &mut Browser, shown: &Shown, why: &str) {
    assert_eq!((shown.status, shown.title()), (422, "有误：登录"), "{why}");
    assert!(shown.text.contains("统一认证"), "{why}: {}", shown.text);
    assert!(browser.who().await.is_none(), "{why}");
}

#[tokio::test]
async fn a_provider_that_says_nonsense_of_itself_is_none() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let said = provider.describe(&provider.issuer());
    let change = |before: &str, after: &str| said.replacen(before, after, 1);
    let (token, keys) = (format!("{}{TOKEN}", provider.issuer()), format!("{}{KEYS}", provider.issuer()));
    for (path, status, text) in [
        (DESCRIPTION, 500, said.clone()),
        (DESCRIPTION, 302, said.clone()),
        (DESCRIPTION, 200, String::new()),
        (DESCRIPTION, 200, "<html>".to_owned()),
        (DESCRIPTION, 200, "[]".to_owned()),
        (DESCRIPTION, 200, "{}".to_owned()),
        (DESCRIPTION, 200, " ".repeat(8 << 20)),
        (DESCRIPTION, 200, provider.describe("https://id.example")),
        (DESCRIPTION, 200, change(&token, "http://id.example/token")),
        (DESCRIPTION, 200, change(&keys, "file:///etc/passwd")),
        (KEYS, 404, String::new()),
        (KEYS, 200, "no keys".to_owned()),
    ] {
        provider.lies(path, Some((status, &text)));
        let mut browser = scene.browser();
        let page = browser.get("/sign-in").await;
        let shown = browser.submit(&page, "/sign-in/oidc", &[]).await;
        let why = format!("{path} {status} {}", text.chars().take(200).collect::<String>());
        is_refused(&mut browser, &shown, &why).await;
        provider.is_honest();
    }
    // One that has come to its senses signs people in.
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    let address = leave(&mut browser, &page).await;
    let code = provider.code(&address, |_| ());
    assert_eq!(come_back(&mut browser, &code, &query(&address)["state"]).await.status, 303);
}

#[tokio::test]
async fn a_provider_that_gives_no_token_of_its_own_lets_nobody_in() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let mut browser = scene.browser();
    for (status, text) in [
        (500, "{}"),
        (302, "{}"),
        (200, "<html>"),
        (200, "{}"),
        (200, "{\"id_token\":5}"),
        (200, "{\"id_token\":\"\"}"),
        (200, "{\"id_token\":\"a.b.c\"}"),
        (200, "{\"error\":\"invalid_grant\"}"),
    ] {
        let page = browser.get("/sign-in").await;
        let address = leave(&mut browser, &page).await;
        let code = provider.code(&address, |_| ());
        provider.lies(TOKEN, Some((status, text)));
        let shown = come_back(&mut browser, &code, &query(&address)["state"]).await;
        is_refused(&mut browser, &shown, text).await;
        provider.is_honest();
    }
    let stranger = Ed25519KeyPair::generate().unwrap();
    for header in [
        json!({"alg": "EdDSA", "kid": "k1"}),
        json!({"alg": "EdDSA", "kid": "k2"}),
        json!({"alg": "EdDSA"}),
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": "k1"}),
    ] {
        let page = browser.get("/sign-in").await;
        let address = leave(&mut browser, &page).await;
        let code = provider.forged(&address, &header, &stranger);
        let shown = come_back(&mut browser, &code, &query(&address)["state"]).await;
        is_refused(&mut browser, &shown, &header.to_string()).await;
    }
    assert!(scene.desk().account(&user("sun")).await.unwrap().is_none());
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_provider_that_says_nothing() {
    let at_the_door = async {
        let provider = Provider::start().await;
        let scene = scene(&provider).await;
        let mut browser = scene.browser();
        let page = browser.get("/sign-in").await;
        provider.lies(DESCRIPTION, None);
        let shown = browser.submit(&page, "/sign-in/oidc", &[]).await;
        is_refused(&mut browser, &shown, "it does not describe itself").await;
        // Who has a password here is not kept from it.
        assert_eq!(browser.sign_in("wang", PASSWORD).await.status, 303);
    };
    let on_the_way_back = async {
        let provider = Provider::start().await;
        let scene = scene(&provider).await;
        let mut browser = scene.browser();
        let page = browser.get("/sign-in").await;
        let address = leave(&mut browser, &page).await;
        let code = provider.code(&address, |_| ());
        provider.lies(TOKEN, None);
        let shown = come_back(&mut browser, &code, &query(&address)["state"]).await;
        is_refused(&mut browser, &shown, "it gives no token").await;
    };
    futures_util::future::join(at_the_door, on_the_way_back).await;
}

#[tokio::test]
async fn nobody_comes_back_in_another_browser_or_with_anothers_code() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let (mut attacker, mut victim) = (scene.browser(), scene.browser());
    let (page, other) = (attacker.get("/sign-in").await, victim.get("/sign-in").await);
    let (first, second) = (leave(&mut attacker, &page).await, leave(&mut victim, &other).await);
    let code = provider.code(&first, |_| ());
    // A victim who is led to the attacker's way back is not signed in as the attacker.
    assert_eq!(come_back(&mut victim, &code, &query(&first)["state"]).await.status, 422);
    // Nor does a code that was stolen serve on another way: its verifier is not there.
    assert_eq!(come_back(&mut victim, &code, &query(&second)["state"]).await.status, 422);
    assert!(victim.who().await.is_none() && attacker.who().await.is_none());
    for path in ["/sign-in/oidc/back", "/sign-in/oidc/back?error=access_denied&state=x", "/sign-in/oidc/back?code=%FF"]
    {
        assert_eq!(scene.browser().get(path).await.status, 422, "{path}");
    }
}

#[tokio::test]
async fn another_house_takes_over_no_account_that_has_a_password_here() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    let address = leave(&mut browser, &page).await;
    let code = provider.code(&address, |claims| claims["preferred_username"] = json!("wang"));
    assert_eq!(come_back(&mut browser, &code, &query(&address)["state"]).await.status, 422);
    let mut wang = scene.browser();
    assert_eq!(wang.sign_in("wang", PASSWORD).await.location(), home("wang"));
}

#[tokio::test]
async fn without_another_house_there_is_no_way_there() {
    let scene = Scene::new().await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    assert!(!page.text.contains("/sign-in/oidc"));
    assert_eq!(browser.get("/sign-in/oidc/back?code=a&state=b").await.status, 404);
}
