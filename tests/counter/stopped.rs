//! Why a question is not asked, and what there is to do; nothing that was typed is lost.

use std::fs;

use serde_json::json;

use crate::demo::Demo;
use crate::errands::{check, fill_in};

#[tokio::test]
async fn whoever_seems_to_guess_is_told_when_it_goes_on() {
    let folder = std::env::temp_dir().join(format!("heyan-counter-{}", uuid::Uuid::now_v7()));
    fs::create_dir_all(folder.join("config")).unwrap();
    let usual = "names = { slow = 3, stop = 6 }";
    let file = include_str!("../../config/heyan.toml");
    assert!(file.contains(usual));
    fs::write(folder.join("config/heyan.toml"), file.replacen(usual, "names = { slow = 1, stop = 2 }", 1)).unwrap();
    let town = Demo::with(&["--overlay", folder.to_str().unwrap()]);
    let mut browser = town.worker().await;
    let mut question = town.sample("健在").clone();
    for name in ["王一", "王二", "王三", "王四"] {
        question["subjects"]["person"]["name"] = json!(name);
        browser.go("/matters/alive").await;
        check(&mut browser, &question).await;
        if browser.path.ends_with("/stopped") {
            break;
        }
    }
    assert_eq!(browser.heading(), "系统暂停了核验", "{}", browser.text());
    assert!(browser.text().contains("以后可以再试") && browser.text().contains("居民不用因为这个去开证明"));
    // Trying at once leads to the same page, and what was typed is still there.
    let again = browser.path.replace("/stopped", "/review");
    browser.submit(&again, &[]).await;
    assert_eq!(browser.heading(), "系统暂停了核验");
    browser.go(&again).await;
    assert!(browser.path.ends_with("/review"));
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_asked_and_is_asked_later() {
    let town = Demo::with(&[]);
    let mut browser = town.worker().await;
    let question = town.sample("健在").clone();
    browser.go("/matters/alive").await;
    let form = browser.check("alive/alive").unwrap();
    browser.send(&form, &[]).await;
    fill_in(&mut browser, &question).await;
    let review = browser.path.clone();
    town.limit_files(Some(0));
    browser.submit(&review, &[]).await;
    assert_eq!(browser.heading(), "现在记不了账，所以没有查", "{}", browser.text());
    town.limit_files(None);
    // The ledger needs a moment until it takes entries again.
    for _ in 0..200 {
        browser.submit(&review, &[]).await;
        if browser.path.starts_with("/results/") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(browser.heading(), "核验属实", "{}", browser.text());
}
