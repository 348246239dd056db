//! A bad night: a department fails under load, and the first screen says so.

use jiff::Timestamp;

use crate::tab::text;
use crate::town::Town;
use crate::until::until;
use crate::watching::{Events, moments};

const UNASKED: &str = "没有发现问题：4 个部门最近 10 分钟没有人问。";

#[tokio::test]
async fn a_fault_under_load_is_named_with_cause_moment_and_whom_it_hits() {
    let town = Town::start();
    let mut people = town.people().await.into_iter().cycle();
    let mut browser = town.operator().await;
    let mut events = Events::open(&browser, "/operator/live").await;
    let (name, calm) = events.next().await.unwrap();
    assert!(name == "page" && text(&calm).contains(UNASKED), "{calm}");
    for _ in 0..30 {
        assert_eq!(town.ask(&people.next().unwrap()).await["outcome"], "confirmed");
    }
    let before = Timestamp::now();
    town.demo.fault("police", "refuse").await;
    let trouble = until("the first screen names the police", async || {
        town.ask(&people.next().unwrap()).await;
        browser.go("/operator").await;
        let trouble =
            browser.page.text.split("<section class=\"trouble").nth(1)?.split("</section>").next()?.to_owned();
        text(&trouble).contains("演示用证部门").then_some(trouble)
    })
    .await;
    let after = Timestamp::now();
    let said = text(&trouble);
    for told in ["公安机关（户籍）", "失败", "连不上", "person", "居民身份信息证明", "heyan check --probe", "没有答复"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    let since = moments(&trouble)[0];
    assert!(before <= since && since <= after, "{before} {since} {after}");
    assert!(browser.page.text.contains("<h1>公安机关（户籍）连不上，已 "), "{}", browser.page.text);
    assert!(browser.text().contains("；3 个部门最近 10 分钟没有人问。"), "nobody knows whether they are well");
    // The page that stays open is told so, without being loaded anew.
    let shown = loop {
        let (name, page) = events.next().await.unwrap();
        assert_eq!(name, "page");
        if page.contains("trouble-police") {
            break page;
        }
    };
    assert_eq!(moments(shown.split("<section class=\"trouble").nth(1).unwrap())[0], since, "one truth for all threads");
    // A department's own page says the same.
    browser.go("/operator/departments/police").await;
    assert!(browser.text().contains("，连不上，已 ") && moments(&browser.page.text).contains(&since));
    town.demo.heal().await;
    until("the police are well again", async || {
        town.ask(&people.next().unwrap()).await;
        browser.go("/operator").await;
        browser.page.text.contains("<h1>没有发现问题：1 个部门正常，3 个部门最近 10 分钟没有人问。</h1>").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_open_ends_with_its_session() {
    let town = Town::start();
    let mut browser = town.operator().await;
    let mut events = Events::open(&browser, "/operator/live").await;
    assert!(events.next().await.is_some());
    let session = browser.clone();
    browser.go("/account").await;
    browser.submit("/sign-out", &[]).await;
    let ended = loop {
        match events.next().await {
            Some((name, _)) if name == "page" => {}
            other => break other,
        }
    };
    assert_eq!(ended.map(|(name, _)| name).as_deref(), Some("end"));
    assert!(events.next().await.is_none());
    assert_eq!(session.ask("/operator/live").await.status(), 303, "whoever is not signed in gets none");
}

#[tokio::test]
async fn only_so_many_pages_are_kept_up_to_date() {
    let town = Town::start();
    let browser = town.operator().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Events::open(&browser, "/operator/live").await);
    }
    assert_eq!(browser.ask("/operator/live").await.status(), 503);
    assert_eq!(browser.ask("/operator").await.status(), 200);
    open.clear();
    until("there is room again", async || (browser.ask("/operator/live").await.status() == 200).then_some(())).await;
}

#[tokio::test]
async fn a_page_that_is_open_comes_again_when_a_configuration_takes_over() {
    let town = Town::start();
    let mut operator = town.operator().await;
    let mut events = Events::open(&operator, "/operator/live").await;
    assert!(events.next().await.is_some());
    operator.go("/operator/reload").await;
    operator.act(&[("reason", "新的部门")]).await;
    // No word of an end: so the browser opens it again by itself.
    while let Some((name, _)) = events.next().await {
        assert_eq!(name, "page");
    }
    let mut again = Events::open(&operator, "/operator/live").await;
    let (name, page) = again.next().await.unwrap();
    assert!(name == "page" && text(&page).contains(UNASKED), "{page}");
}
