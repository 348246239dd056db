use std::time::Duration;

use heyan::config::{Pages, PlainHttp};

use crate::browser::Browser;
use crate::scene::{PASSWORD, Scene};

/// Tries until it has to wait; how often that was.
async fn guess(browser: &mut Browser, user: &str) -> usize {
    for tries in 0..50 {
        let refused = browser.sign_in(user, "wrong").await;
        if refused.status == 429 {
            assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 16);
            assert!(refused.text.contains("试的次数太多了"), "{}", refused.text);
            return tries;
        }
        assert_eq!(refused.status, 422);
    }
    panic!("it never has to wait");
}

#[tokio::test]
async fn whoever_guesses_has_to_wait_and_a_known_browser_has_not() {
    let scene = Scene::new().await;
    let mut known = scene.signed_in("wang").await;
    let page = known.get("/account").await;
    known.submit(&page, "/sign-out", &[]).await;
    let mut attacker = scene.browser();
    assert_eq!(guess(&mut attacker, "wang").await, 5);
    assert_eq!(guess(&mut attacker, "nobody").await, 5, "as with a user whom nobody knows");
    let right = attacker.sign_in("wang", PASSWORD).await;
    assert_eq!(right.status, 429, "while it waits, nothing is looked at");
    assert_eq!(known.sign_in("wang", PASSWORD).await.status, 303, "from the same address");
    // A device is its user's alone.
    let mut li = known.clone();
    li.cookies.retain(|name, _| name == "heyan-device");
    assert_eq!(guess(&mut li, "li").await, 5);
    assert_eq!(li.sign_in("li", PASSWORD).await.status, 429);
    scene.wait(Duration::from_secs(16));
    assert_eq!(attacker.sign_in("wang", PASSWORD).await.status, 303, "it waits no longer than it was told");
}

#[tokio::test]
async fn a_device_cookie_that_somebody_has_made_up_is_none() {
    let scene = Scene::new().await;
    let mut attacker = scene.browser();
    assert_eq!(guess(&mut attacker, "wang").await, 5);
    for made_up in ["A".repeat(64), "A".repeat(43), String::new(), "!".to_owned()] {
        attacker.cookies.insert("heyan-device".to_owned(), made_up);
        assert_eq!(attacker.sign_in("wang", PASSWORD).await.status, 429);
    }
}

#[tokio::test]
async fn behind_a_proxy_clients_are_told_apart_by_what_it_says_last() {
    let scene = Scene::with(|settings| {
        settings.plain_http = PlainHttp::BehindTlsProxy;
        settings.pages = Pages { forwarded_for: true, ..Pages::default() };
    })
    .await;
    let from = |address: &str| {
        let mut browser = scene.browser();
        browser.fields.push(("x-forwarded-for", address.to_owned()));
        browser
    };
    let mut attacker = from("10.1.1.7");
    assert_eq!(guess(&mut attacker, "wang").await, 5);
    let mut disguised = from("10.9.9.9, 10.1.1.7");
    assert_eq!(disguised.sign_in("wang", "wrong").await.status, 429, "what it writes itself comes first");
    assert_eq!(from("10.1.2.7").sign_in("wang", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn without_a_proxy_nobody_says_where_he_is() {
    let scene = Scene::new().await;
    let mut attacker = scene.browser();
    assert_eq!(guess(&mut attacker, "wang").await, 5);
    attacker.fields.push(("x-forwarded-for", "10.9.9.9".to_owned()));
    assert_eq!(attacker.sign_in("wang", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn tries_that_come_at_once_count_all_the_same() {
    let scene = Scene::new().await;
    let tries = (0..30).map(|_| {
        let mut browser = scene.browser();
        async move { browser.sign_in("wang", "wrong").await.status }
    });
    let statuses = futures_util::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 5, "{statuses:?}");
}

#[tokio::test]
async fn the_password_is_guessed_no_faster_where_it_is_changed() {
    let scene = Scene::new().await;
    let mut thief = scene.signed_in("wang").await;
    thief.cookies.remove("heyan-device");
    let page = thief.get("/account/password").await;
    let typed = [("old", "wrong"), ("new", "another horse battery"), ("again", "another horse battery")];
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(thief.submit(&page, "/account/password", &typed).await.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
}
