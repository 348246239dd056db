use std::time::Duration;

use reqwest::Method;

use crate::browser::{Browser, Shown};
use crate::house::{home, user};
use crate::scene::{PASSWORD, Scene};

const NEW: &str = "another horse battery";

/// The form to change a password, filled in.
const CHANGE: [(&str, &str); 3] = [("old", PASSWORD), ("new", NEW), ("again", NEW)];

async fn change(browser: &mut Browser, page: &Shown) -> Shown {
    browser.submit(page, "/account/password", &CHANGE).await
}

/// Whether nothing has happened.
async fn is_unchanged(scene: &Scene) -> bool {
    scene.browser().sign_in("wang", PASSWORD).await.status == 303
}

#[tokio::test]
async fn a_form_that_no_page_of_ours_has_made_is_refused() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let page = browser.get("/account/password").await;
    let forged = browser.post("/account/password", &CHANGE).await;
    assert_eq!((forged.status, forged.title()), (403, "没有提交"));
    let mut with_token = CHANGE.to_vec();
    let garbage = "A".repeat(43);
    with_token.push(("csrf", &garbage));
    let stale = browser.post("/account/password", &with_token).await;
    assert_eq!(stale.title(), "请再确认一次", "it could be ours: it is asked for, and not done");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1:1"),
    ] {
        let mut other = browser.clone();
        other.fields.push((name, value.to_owned()));
        let refused = change(&mut other, &page).await;
        assert_eq!((refused.status, refused.title()), (403, "没有提交"), "{name}: {value}");
    }
    assert!(is_unchanged(&scene).await);
    for fields in [
        vec![("sec-fetch-site", "same-origin".to_owned()), ("origin", "null".to_owned())],
        vec![("origin", scene.base())],
    ] {
        let mut ours = browser.clone();
        ours.fields.extend(fields);
        let wrong = [("old", "wrong"), CHANGE[1], CHANGE[2]];
        assert_eq!(
            ours.submit(&page, "/account/password", &wrong).await.status,
            422,
            "a browser's own words are taken"
        );
    }
}

#[tokio::test]
async fn a_form_of_somebody_elses_page_is_not_carried_out() {
    let scene = Scene::new().await;
    let (mut wang, mut li) = (scene.signed_in("wang").await, scene.signed_in("li").await);
    let page = li.get("/account/password").await;
    let stale = change(&mut wang, &page).await;
    assert_eq!((stale.status, stale.title()), (200, "请再确认一次"));
    let refused = wang.submit(&stale, "/carry", &[]).await;
    assert_eq!(refused.title(), "刚才的内容没有提交");
    assert!(is_unchanged(&scene).await);
}

#[tokio::test]
async fn what_is_no_form_is_refused_with_a_page() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        ("application/json", "{}".to_owned(), 400),
        ("multipart/form-data; boundary=x", "--x--".to_owned(), 400),
        (form, "a=%FF".to_owned(), 400),
        (form, "a&".repeat(600), 400),
        (form, format!("a={}", "x".repeat(70_000)), 413),
    ] {
        let request = browser.request(Method::POST, "/account/password").header("content-type", kind).body(body);
        let refused = browser.send(request).await;
        assert_eq!((refused.status, refused.header("content-type")), (status, "text/html; charset=utf-8"), "{kind}");
        assert!(refused.text.contains("<h1>"));
    }
    let refused = browser.send(browser.request(Method::DELETE, "/account/password")).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD, POST"));
    assert_eq!(browser.get("/sign-out").await.status, 405);
}

#[tokio::test]
async fn a_form_that_outlives_its_session_is_carried_out_after_signing_in() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let page = browser.get("/account/password").await;
    scene.wait(Duration::from_mins(20));
    let asked = change(&mut browser, &page).await;
    assert_eq!((asked.status, asked.title()), (200, "登录"));
    assert!(asked.text.contains("刚才填写的内容还在") && !asked.text.contains(NEW) && !asked.text.contains(PASSWORD));
    let wrong = browser.submit(&asked, "/sign-in", &[("user", "wang"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 422, "a slip loses nothing");
    let done = browser.submit(&wrong, "/sign-in", &[("user", "wang"), ("password", PASSWORD)]).await;
    assert_eq!((done.status, done.location()), (303, "/account?password=changed"), "{}", done.text);
    assert_eq!(browser.who().await, Some(user("wang")));
    assert!(!is_unchanged(&scene).await);
}

/// Sends a form that is filled in wrong, and says where the page is that answers it.
async fn answered_wrong(browser: &mut Browser) -> String {
    let page = browser.get("/account/password").await;
    let wrong = page.form("/account/password").with(&[("old", "wrong"), CHANGE[1], CHANGE[2]]);
    let body: Vec<String> = wrong.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    let sent = browser.request(Method::POST, "/account/password").body(body.join("&"));
    let answer = browser.send(sent.header("content-type", "application/x-www-form-urlencoded")).await;
    assert_eq!((answer.status, answer.text.as_str()), (303, ""));
    answer.location().to_owned()
}

#[tokio::test]
async fn a_page_that_answers_a_form_has_an_address_for_a_while_and_for_its_reader_alone() {
    let scene = Scene::new().await;
    let (mut wang, mut li) = (scene.signed_in("wang").await, scene.signed_in("li").await);
    let place = answered_wrong(&mut wang).await;
    for _ in 0..2 {
        let shown = wang.get(&place).await;
        assert_eq!((shown.status, shown.title()), (422, "有误：修改密码"), "a reload does no harm");
        assert_eq!(shown.header("cache-control"), "no-store");
    }
    assert_eq!(li.get(&place).await.status, 410);
    assert_eq!(scene.browser().get(&place).await.status, 303, "whoever has not signed in does so first");
    assert_eq!(wang.get("/replies/x").await.status, 404);
    let mut other = scene.signed_in("wang").await;
    assert_eq!(other.get(&place).await.status, 422, "in another window too");
    scene.wait(Duration::from_mins(20));
    let mut later = scene.signed_in("wang").await;
    assert_eq!((later.get(&place).await.status, later.get(&place).await.title()), (410, "这一页已经清除"));
}

#[tokio::test]
async fn a_page_that_answers_a_form_goes_with_its_session() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let place = answered_wrong(&mut browser).await;
    let shown = browser.get(&place).await;
    browser.submit(&shown, "/sign-out", &[]).await;
    assert_eq!(scene.signed_in("wang").await.get(&place).await.status, 410);
}

#[tokio::test]
async fn a_form_that_was_wrong_is_shown_again_after_signing_in() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let page = browser.get("/account/password").await;
    scene.wait(Duration::from_mins(20));
    let asked = browser.submit(&page, "/account/password", &[("old", "wrong"), CHANGE[1], CHANGE[2]]).await;
    let shown = browser.submit(&asked, "/sign-in", &[("user", "wang"), ("password", PASSWORD)]).await;
    assert_eq!((shown.status, shown.title()), (422, "有误：修改密码"));
    let done = change(&mut browser, &shown).await;
    assert_eq!(done.location(), "/account?password=changed", "its token is that of the new session");
}

#[tokio::test]
async fn somebody_else_neither_sends_nor_sees_what_was_filled_in() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let page = browser.get("/account/password").await;
    scene.wait(Duration::from_mins(20));
    let asked = change(&mut browser, &page).await;
    let other = browser.submit(&asked, "/sign-in", &[("user", "li"), ("password", PASSWORD)]).await;
    assert_eq!((other.status, other.title()), (200, "刚才的内容没有提交"));
    assert!(!other.text.contains(NEW));
    assert_eq!(browser.who().await, Some(user("li")), "and li is in");
    assert!(is_unchanged(&scene).await);
    // Whoever has filled it in can still go on.
    let again = browser.submit(&other, "/sign-out", &[]).await;
    assert_eq!((again.status, again.title()), (200, "登录"));
    assert_eq!(browser.clone().who().await, None);
    let done = browser.submit(&again, "/sign-in", &[("user", "wang"), ("password", PASSWORD)]).await;
    assert_eq!(done.location(), "/account?password=changed", "{}", done.text);
}

#[tokio::test]
async fn two_tabs_do_each_other_no_harm() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let first_tab = browser.get("/account/password").await;
    scene.wait(Duration::from_mins(20));
    // The second tab signs in again; the first one's page is of the session before.
    assert_eq!(browser.sign_in("wang", PASSWORD).await.status, 303);
    let stale = change(&mut browser, &first_tab).await;
    assert_eq!((stale.status, stale.title()), (200, "请再确认一次"));
    assert!(is_unchanged(&scene).await);
    let done = browser.submit(&stale, "/carry", &[]).await;
    assert_eq!(done.location(), "/account?password=changed", "{}", done.text);
}

#[tokio::test]
async fn a_sealed_form_that_was_changed_or_is_too_old_is_dropped() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in("wang").await;
    let page = browser.get("/account/password").await;
    scene.wait(Duration::from_mins(20));
    let asked = change(&mut browser, &page).await;
    let sealed = asked.form("/sign-in").with(&[]).into_iter().find(|(name, _)| name == "carried").unwrap().1;
    let (before, after) = sealed.split_at(sealed.len() / 2);
    let changed = format!("{before}{}{}", if after.starts_with('A') { 'B' } else { 'A' }, &after[1..]);
    for carried in [changed.as_str(), "", "A", "!"] {
        let mut browser = scene.browser();
        let page = browser.get("/sign-in").await;
        let typed = [("user", "wang"), ("password", PASSWORD), ("carried", carried)];
        let entered = browser.submit(&page, "/sign-in", &typed).await;
        assert_eq!(entered.location(), home("wang"), "{carried}");
    }
    scene.wait(Duration::from_hours(9));
    let typed = [("user", "wang"), ("password", PASSWORD)];
    assert_eq!(browser.submit(&asked, "/sign-in", &typed).await.location(), home("wang"));
    assert!(is_unchanged(&scene).await);
}

#[tokio::test]
async fn strange_characters_come_back_as_they_were_typed() {
    let scene = Scene::new().await;
    for typed in
        ["<script>alert(1)</script>", "\"'&<>", "👵🏽 奶奶", "\u{202e}abc", "a\r\nb", "１２３", &"长".repeat(5000)]
    {
        let shown = scene.browser().sign_in(typed, "x").await;
        assert_eq!(shown.status, 422);
        assert!(!shown.text.contains("<script>alert") && shown.text.contains("<h1>"), "{typed:?}");
    }
}
