//! Each outcome has its own honest words, and a way on.

use serde_json::json;

use crate::browser::Browser;
use crate::errands::check;
use crate::town::Town;

async fn asked(town: &Town, case: &str) -> Browser {
    let question = town.sample(case).clone();
    let mut browser = town.worker().await;
    browser.go(&format!("/matters/{}", question["matter"].as_str().unwrap())).await;
    check(town, &mut browser, &question).await;
    browser
}

fn actions(browser: &Browser) -> Vec<String> {
    browser.forms().into_iter().map(|form| form.action).collect()
}

#[tokio::test]
async fn what_is_refuted_or_not_known_is_told_with_what_to_do() {
    let town = Town::shared();
    for (case, heading, told) in [
        ("法院判决离婚的人：已婚", "与记录不符", "申请更正"),
        ("健在的人没有死亡记录", "没有查到记录", "不表示居民说的不对"),
        ("宣告死亡已被撤销", "没有查到记录", "不表示居民说的不对"),
    ] {
        let browser = asked(&town, case).await;
        assert_eq!(browser.heading(), heading, "{case}");
        assert!(browser.text().contains(told), "{case}: {}", browser.text());
        assert!(actions(&browser).iter().any(|action| action.ends_with("/again")), "it can be corrected");
        assert!(browser.text().contains("怎么办") && browser.links().iter().any(|link| link.ends_with("/notice")));
    }
}

#[tokio::test]
async fn a_wrong_name_is_told_without_which_and_can_be_corrected() {
    let town = Town::new();
    let right = town.sample("夫妻").clone();
    let mut wrong = right.clone();
    wrong["subjects"]["spouse"]["name"] = json!("王错");
    let mut browser = town.worker().await;
    browser.go("/matters/marital-status").await;
    check(&town, &mut browser, &wrong).await;
    assert_eq!(browser.heading(), "姓名和号码对不上");
    let again = actions(&browser).into_iter().find(|action| action.ends_with("/again")).unwrap();
    browser.submit(&again, &[]).await;
    assert!(browser.path.ends_with("/review") && browser.text().contains("王错"), "{}", browser.path);
    let change = browser.path.replace("/review", "/2");
    browser.go(&change).await;
    let form = browser.step();
    let name = right["subjects"]["spouse"]["name"].as_str().unwrap();
    let number = form.value("number");
    browser.send(&form, &[("name", name), ("number", &number)]).await;
    assert!(browser.path.ends_with("/review"), "what is filled in leads back to the review: {}", browser.path);
    let path = browser.path.clone();
    browser.submit(&path, &[]).await;
    assert_eq!(browser.heading(), "核验属实", "{}", browser.text());
    browser.go("/results").await;
    assert!(browser.text().contains("姓名和号码对不上") && browser.text().contains("核验属实"));
}

#[tokio::test]
async fn what_takes_longer_is_found_in_the_last_hour() {
    let town = Town::shared();
    let mut browser = asked(&town, "裁判文书在纸质档案中，法院需要时间").await;
    assert_eq!(browser.heading(), "还没有结果");
    assert!(browser.text().contains("不用在这里等"));
    let result = browser.path.clone();
    assert!(browser.links().contains(&result), "a link looks again");
    browser.go(&format!("{result}/notice")).await;
    assert_eq!(browser.path, result, "what has no result has no notice");
    browser.go("/results").await;
    assert!(browser.text().contains("还没有结果") && browser.links().contains(&result));
}

#[tokio::test]
async fn who_cannot_be_asked_is_told_and_can_be_asked_again() {
    let town = Town::new();
    town.fault("health", "refuse").await;
    let mut browser = asked(&town, "健在").await;
    // The demo keeps a question until the department can be asked.
    let said = browser.heading();
    assert!(["还没有结果", "现在问不到"].contains(&said.as_str()), "{said}");
    town.heal().await;
    let result = browser.path.clone();
    browser.go(&result).await;
    assert_eq!(browser.status, 200);
}
