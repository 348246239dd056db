//! Two tabs, two residents, two clicks, and a session that ends in the middle.

use crate::demo::Demo;
use crate::errands::fill_in;
use crate::tab::Tab;

/// A worker at everything once more, for a case.
async fn reviewed(town: &Demo, browser: &mut Tab, case: &str) {
    let question = town.sample(case).clone();
    let claim = format!("{}/{}", question["matter"].as_str().unwrap(), question["claim"].as_str().unwrap());
    browser.go(&format!("/matters/{}", question["matter"].as_str().unwrap())).await;
    let form = browser.check(&claim).unwrap();
    browser.send(&form, &[]).await;
    fill_in(browser, &question).await;
}

#[tokio::test]
async fn two_tabs_with_two_residents_never_meet() {
    let town = Demo::shared();
    let (one, other) = (town.sample("健在").clone(), town.sample("生僻字姓名").clone());
    let name = |question: &serde_json::Value| question["subjects"]["person"]["name"].as_str().unwrap().to_owned();
    let mut first = town.worker().await;
    let mut second = first.clone();
    reviewed(&town, &mut first, "健在").await;
    reviewed(&town, &mut second, "生僻字姓名").await;
    for browser in [&mut first, &mut second] {
        let path = browser.path.clone();
        browser.go(&path).await;
    }
    assert!(first.text().contains(&name(&one)) && !first.text().contains(&name(&other)));
    assert!(second.text().contains(&name(&other)) && !second.text().contains(&name(&one)));
    // The next resident in one tab leaves the other as it is.
    first.submit("/next", &[]).await;
    assert_eq!(first.path, "/");
    let path = second.path.clone();
    second.go(&path).await;
    assert!(second.text().contains(&name(&other)));
    second.submit(&path, &[]).await;
    assert_eq!(second.heading(), "核验属实");
}

/// A page that stays open serves one resident after another, each in a window of its own.
#[tokio::test]
async fn the_same_button_begins_a_check_of_its_own_each_time() {
    let town = Demo::shared();
    let person = town.sample("健在")["subjects"]["person"].clone();
    let mut first = town.worker().await;
    first.go("/matters/alive").await;
    let form = first.check("alive/alive").unwrap();
    let mut second = first.clone();
    first.send(&form, &[]).await;
    let page = first.step();
    let (name, number) = (person["name"].as_str().unwrap(), person["id_number"].as_str().unwrap());
    first.send(&page, &[("name", name), ("number", number)]).await;
    second.send(&form, &[]).await;
    assert_eq!((second.step().value("name"), second.step().value("number")), (String::new(), String::new()));
}

#[tokio::test]
async fn another_worker_sees_none_of_it() {
    let town = Demo::shared();
    let mut browser = town.worker().await;
    reviewed(&town, &mut browser, "健在").await;
    let path = browser.path.clone();
    let mut stranger = Tab::new(&town.text("gateway"));
    stranger.go(&path).await;
    assert_eq!(stranger.path.split('?').next(), Some("/sign-in"));
}

#[tokio::test]
async fn what_is_sent_twice_is_asked_once() {
    let town = Demo::new();
    let mut browser = town.worker().await;
    reviewed(&town, &mut browser, "从未结婚").await;
    let before = town.entries().await;
    let path = browser.path.clone();
    browser.submit(&path, &[]).await;
    let single = town.entries().await - before;
    assert!(single > 0);

    reviewed(&town, &mut browser, "丧偶").await;
    let before = town.entries().await;
    let path = browser.path.clone();
    let (mut first, mut second, mut third) = (browser.clone(), browser.clone(), browser.clone());
    // The same page opened once more has a form of its own.
    third.go(&path).await;
    tokio::join!(first.submit(&path, &[]), second.submit(&path, &[]), third.submit(&path, &[]));
    assert!(first.path.starts_with("/results/"), "{}", first.path);
    assert_eq!((&second.path, &third.path), (&first.path, &first.path));
    // Going back and sending it again leads to the same place.
    browser.submit(&path, &[]).await;
    assert_eq!(browser.path, first.path);
    browser.go(&path).await;
    assert_eq!(browser.path, first.path);
    assert_eq!(town.entries().await - before, single, "one question is on record");
    browser.go("/results").await;
    assert_eq!(browser.page.text.matches("href=\"/results/").count(), 2);
}

#[tokio::test]
async fn going_back_and_reloading_lose_nothing() {
    let town = Demo::shared();
    let question = town.sample("夫妻").clone();
    let mut browser = town.worker().await;
    reviewed(&town, &mut browser, "夫妻").await;
    let review = browser.path.clone();
    for (page, role) in [("1", "person"), ("2", "spouse")] {
        browser.go(&review.replace("review", page)).await;
        assert_eq!(browser.step().value("name"), question["subjects"][role]["name"].as_str().unwrap());
    }
    browser.go(&review).await;
    assert_eq!(browser.path, review);
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_loses_nothing() {
    let town = Demo::shared();
    let question = town.sample("夫妻").clone();
    let mut browser = town.worker().await;
    browser.go("/matters/marital-status").await;
    let form = browser.check("marital-status/spouses").unwrap();
    browser.send(&form, &[]).await;
    let person = |role: &str| {
        let person = &question["subjects"][role];
        [
            ("name", person["name"].as_str().unwrap().to_owned()),
            ("number", person["id_number"].as_str().unwrap().to_owned()),
        ]
    };
    let [name, number] = person("person");
    let form = browser.step();
    browser.send(&form, &[(name.0, &name.1), (number.0, &number.1)]).await;
    // The session ends while the second page is being filled in.
    let form = browser.step();
    let session = browser.browser.cookies.keys().find(|name| name.contains("session")).unwrap().clone();
    browser.browser.cookies.remove(&session);
    let [name, number] = person("spouse");
    browser.send(&form, &[(name.0, &name.1), (number.0, &number.1)]).await;
    assert!(browser.text().contains("刚才填写的内容还在"), "{}", browser.text());
    town.sign_in(&mut browser, "committee").await;
    assert!(
        browser.path.ends_with("/3") || browser.page.text.contains("name=\"value\""),
        "{} {}",
        browser.path,
        browser.text()
    );
    fill_in_rest(&town, &mut browser).await;
    let path = browser.path.clone();
    browser.submit(&path, &[]).await;
    assert_eq!(browser.heading(), "核验属实", "{}", browser.text());
}

async fn fill_in_rest(town: &Demo, browser: &mut Tab) {
    fill_in(browser, town.sample("夫妻")).await;
}

/// What was typed goes with the session; but the form that is still open carries it, sealed, for its own user.
#[tokio::test]
async fn signing_out_clears_what_was_typed() {
    let town = Demo::shared();
    let mut browser = town.worker().await;
    reviewed(&town, &mut browser, "健在").await;
    let path = browser.path.clone();
    browser.submit("/sign-out", &[]).await;
    town.sign_in(&mut browser, "committee").await;
    browser.go(&path).await;
    assert_eq!(browser.page.status, 410);
    assert!(browser.text().contains("已经清除"));
}
