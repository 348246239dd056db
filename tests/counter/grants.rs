//! What the committee's grants do not cover, demand, or cover only so often: each has its words and a way on, and nothing that was
//! typed is lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::errands::fill_in;
use crate::scene::Scene;
use crate::tab::Tab;

const EVERYTHING: &str = "[[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\n";

fn question() -> Value {
    let person = json!({"name": "张三", "id_number": "11010519491231002X"});
    json!({"matter": "alive", "claim": "alive", "purpose": "pension", "subjects": {"person": person}})
}

/// At everything once more.
async fn reviewed(browser: &mut Tab) -> String {
    browser.go("/matters/alive").await;
    let form = browser.check("alive/alive").unwrap();
    browser.send(&form, &[]).await;
    fill_in(browser, &question()).await;
    browser.path.clone()
}

#[tokio::test]
async fn too_many_questions_wait_until_a_time_that_is_told() {
    let scene = Scene::granting(&format!("{EVERYTHING}per_minute = 1\n")).await;
    let mut browser = scene.worker().await;
    let first = reviewed(&mut browser).await;
    browser.submit(&first, &[]).await;
    assert!(browser.path.starts_with("/results/"), "{}", browser.text());
    let review = reviewed(&mut browser).await;
    browser.submit(&review, &[]).await;
    assert_eq!(browser.heading(), "查得太多了，先等一等", "{}", browser.text());
    let said = browser.text();
    for part in ["没有问任何部门", "2026年11月23日 16:0", "以后可以再试", "居民不用因为这个去开证明", "看别的办法"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let stopped = browser.path.clone();
    browser.go(&review).await;
    assert!(browser.text().contains("张三"), "what was typed is there");
    scene.clock.advance(Duration::from_secs(61));
    browser.go(&stopped).await;
    browser.submit(&review, &[]).await;
    assert!(browser.path.starts_with("/results/"), "{}", browser.text());
}

#[tokio::test]
async fn a_case_number_is_demanded_for_the_purpose_that_needs_one() {
    let grant = |purpose: &str, more: &str| {
        format!("[[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"{purpose}\"]\n{more}\n")
    };
    let scene = Scene::granting(&(grant("pension", "demands = [\"case\"]") + &grant("passport", ""))).await;
    let mut browser = scene.worker().await;
    browser.go("/matters/alive").await;
    let form = browser.check("alive/alive").unwrap();
    browser.send(&form, &[]).await;
    let form = browser.step();
    browser.send(&form, &[("name", "张三"), ("number", "11010519491231002X")]).await;
    let form = browser.step();
    assert!(form.has("purpose") && form.has("case"), "{}", browser.page.text);
    browser.send(&form, &[("purpose", "pension"), ("case", "")]).await;
    assert_eq!(browser.page.status, 422, "{}", browser.text());
    assert!(browser.page.text.contains("id=\"case-error\"") && browser.text().contains("请填写“办件编号”"));
    let form = browser.step();
    browser.send(&form, &[("purpose", "passport"), ("case", "")]).await;
    assert_eq!(browser.page.status, 200, "another purpose needs none: {}", browser.text());
    let form = browser.step();
    browser.send(&form, &[("basis", "consent"), ("law", "")]).await;
    let review = browser.path.clone();
    assert!(review.ends_with("/review"), "{review}");
    // The grants change before it is asked: what is missing now is asked for, and the rest is still there.
    scene.grant(&(grant("pension", "") + &grant("passport", "demands = [\"case\"]")));
    scene.reload();
    browser.submit(&review, &[]).await;
    assert!(browser.path.ends_with("/2") && browser.step().has("case"), "{}", browser.path);
    let form = browser.step();
    browser.send(&form, &[("purpose", "passport"), ("case", "2026-17")]).await;
    assert!(browser.path.ends_with("/review") && browser.text().contains("张三"), "{}", browser.text());
    browser.submit(&review, &[]).await;
    assert!(browser.path.starts_with("/results/"), "{}", browser.text());
}

#[tokio::test]
async fn what_is_not_granted_any_more_is_told_with_other_ways() {
    let scene = Scene::granting(EVERYTHING).await;
    let mut browser = scene.worker().await;
    let review = reviewed(&mut browser).await;
    let grants = EVERYTHING.replace("\"*\"]\npurposes", "\"death/*\"]\npurposes");
    let before = browser.clone();
    scene.grant(&grants);
    scene.reload();
    browser.submit(&review, &[]).await;
    assert!(browser.path.starts_with("/matters/alive?draft="), "{}", browser.path);
    let said = browser.text();
    for part in ["没有核验这一项的授权", "请按上面的办法办", "系统管理员", "手机办理", "打印告知单"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(browser.check("alive/alive").is_none());
    // Once it is granted again, the same form is sent, and nothing has to be typed anew.
    scene.grant(EVERYTHING);
    scene.reload();
    let mut browser = before;
    browser.submit(&review, &[]).await;
    assert!(browser.path.starts_with("/results/"), "{}: {}", browser.path, browser.text());
}
