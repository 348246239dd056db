//! Each outcome has its own honest words, and a way on.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::demo::Demo;
use crate::errands::{check, fill_in};
use crate::tab::Tab;

async fn asked(town: &Demo, case: &str) -> Tab {
    let question = town.sample(case).clone();
    let mut browser = town.worker().await;
    browser.go(&format!("/matters/{}", question["matter"].as_str().unwrap())).await;
    check(&mut browser, &question).await;
    browser
}

fn actions(browser: &Tab) -> Vec<String> {
    browser.page.forms().into_iter().map(|form| form.action).collect()
}

#[tokio::test]
async fn what_is_refuted_or_not_known_is_told_with_what_to_do() {
    let town = Demo::shared();
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
async fn where_records_say_otherwise_no_paper_is_said_to_serve_and_the_department_is_named() {
    let town = Demo::shared();
    for (case, department, idle) in [
        ("昨天在医院去世，公安尚不知道", "卫生健康部门", ["居民户口簿", "不必到场"]),
        ("法院判决离婚，民政部门尚不知道", "人民法院", ["出示即可", "这些证件可以用"]),
        ("被收养的孩子与生父母", "民政部门", ["出示证件即可", "居民户口簿"]),
    ] {
        let mut browser = asked(&town, case).await;
        let result = browser.text();
        let notice = format!("{}/notice", browser.path);
        browser.go(&notice).await;
        for said in [result, browser.text()] {
            assert!(
                said.contains(&format!("请居民向{department}")) || said.contains(&format!("请向{department}")),
                "{case}: {said}"
            );
            assert!(said.contains("申请更正") && !said.contains("该部门"), "{case}: {said}");
            assert!(!idle.iter().any(|idle| said.contains(idle)), "{case}: {said}");
        }
    }
}

#[tokio::test]
async fn a_parent_and_a_child_the_wrong_way_round_are_asked_about_before_anybody_is_asked() {
    let town = Demo::shared();
    let right = town.sample("1996 年以前出生的人与父母").clone();
    let mut wrong = right.clone();
    wrong["subjects"]["parent"] = right["subjects"]["child"].clone();
    wrong["subjects"]["child"] = right["subjects"]["parent"].clone();
    let mut browser = town.worker().await;
    browser.go("/matters/kinship").await;
    let form = browser.check("kinship/parent-child").unwrap();
    browser.send(&form, &[]).await;
    fill_in(&mut browser, &wrong).await;
    assert!(browser.path.ends_with("/review") && browser.text().contains("是不是填反了？"), "{}", browser.text());
    let review = browser.path.clone();
    browser.submit(&review.replace("/review", "/swap"), &[]).await;
    assert!(browser.path == review && !browser.text().contains("是不是填反了？"), "{}", browser.text());
    browser.submit(&review, &[]).await;
    assert_eq!(browser.heading(), "核验属实", "{}", browser.text());
}

#[tokio::test]
async fn a_checklist_takes_over_what_the_departments_said() {
    let town = Demo::shared();
    let mut browser = asked(&town, "健在的人没有死亡记录").await;
    let link = browser.links().into_iter().find(|link| link.starts_with("/deliberations/new?matter=death")).unwrap();
    browser.go(&link).await;
    browser.submit("/deliberations", &[]).await;
    for typed in ["party-demands-it", "no", "yes"] {
        let place = browser.path.clone();
        browser.submit(&place, &[("answer", typed)]).await;
    }
    let next = browser.path.clone();
    assert!(next.ends_with("/verified"), "what the system knows is not asked: {next}");
    browser.go(&next.replace("/verified", "/check")).await;
    let said = browser.text();
    assert!(said.contains("已关联核验") && said.contains("部门没有记录") && !said.contains("还没有核验"), "{said}");
}

#[tokio::test]
async fn a_wrong_name_is_told_without_which_and_can_be_corrected() {
    let town = Demo::new();
    let right = town.sample("夫妻").clone();
    let mut wrong = right.clone();
    wrong["subjects"]["spouse"]["name"] = json!("王错");
    let mut browser = town.worker().await;
    browser.go("/matters/marital-status").await;
    check(&mut browser, &wrong).await;
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
    let town = Demo::shared();
    let mut browser = asked(&town, "裁判文书在纸质档案中，法院需要时间").await;
    assert_eq!(browser.heading(), "还没有结果");
    assert!(browser.text().contains("不用在这里等"));
    let result = browser.path.clone();
    assert!(browser.links().contains(&result), "a link looks again");
    let said = browser.text();
    assert!(said.contains("怎么办") && said.contains("这些证件可以用"), "whoever cannot wait has other ways: {said}");
    assert!(browser.links().contains(&format!("{result}/notice")));
    browser.go(&format!("{result}/notice")).await;
    let paper = browser.text();
    for part in ["结果：还在办理", "还没有核验回执", "询问结果", "接下来怎么办", "不是证明"]
    {
        assert!(paper.contains(part), "{part}: {paper}");
    }
    assert!(!paper.contains("核验回执编号"), "there is no receipt yet: {paper}");
    browser.submit(&format!("{result}/notice.pdf"), &[]).await;
    assert!(browser.page.status == 200 && browser.page.text.starts_with("%PDF-"), "{}", browser.path);
    browser.go("/results").await;
    assert!(browser.text().contains("还没有结果") && browser.links().contains(&result));
}

/// Files that are laid over the demo's own.
fn overlay(files: &[(&str, String)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("heyan-counter-{}", uuid::Uuid::now_v7()));
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (usual, other)| {
        assert!(text.contains(usual), "{usual}");
        text.replacen(usual, other, 1)
    })
}

#[tokio::test]
async fn departments_that_contradict_each_other_are_told_of_and_asked_again_later() {
    let alive = replaced(
        include_str!("../../config/matters/10-alive.toml"),
        &[
            ("rule = \"all\"", "rule = \"any\""),
            ("refutes = \"registration.cancelled == 'death'\"", "refutes = \"registration.cancelled != 'death'\""),
            ("confirms = \"registration.cancelled != 'death'\"", "confirms = \"registration.cancelled == 'death'\""),
        ],
    );
    let folder = overlay(&[("config/matters/10-alive.toml", alive)]);
    let town = Demo::with(&["--overlay", folder.to_str().unwrap()]);
    let mut browser = asked(&town, "健在").await;
    assert_eq!(browser.heading(), "部门的记录互相矛盾", "{}", browser.text());
    let said = browser.text();
    for part in ["系统不替它们作决定", "请居民到下面的部门核实", "与所说的一致", "与所说的不一致", "怎么办"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    // What was typed is still there for when they have settled it.
    let again = actions(&browser).into_iter().find(|action| action.ends_with("/again")).unwrap();
    let name = town.sample("健在")["subjects"]["person"]["name"].as_str().unwrap().to_owned();
    let notice = browser.links().into_iter().find(|link| link.ends_with("/notice")).unwrap();
    browser.submit(&again, &[]).await;
    assert!(browser.path.ends_with("/review") && browser.text().contains(&name), "{}", browser.path);
    browser.go(&notice).await;
    assert!(browser.text().contains("结果：部门记录互相矛盾") && browser.text().contains("接下来怎么办"));
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_nobody_is_connected_for_is_referred_with_where_to_go() {
    let town = Demo::shared();
    let question = town.sample("不动产登记机构尚未接入").clone();
    let mut browser = town.worker().await;
    // The page has no such button; whoever sends the form all the same is told where to go.
    browser.go("/matters/alive").await;
    let mut form = browser.check("alive/alive").unwrap();
    form.html = form.html.replace("alive/alive", "property/owns-real-estate");
    browser.send(&form, &[]).await;
    fill_in(&mut browser, &question).await;
    let review = browser.path.clone();
    browser.submit(&review, &[]).await;
    assert_eq!(browser.heading(), "要到别处办", "{}", browser.text());
    let said = browser.text();
    for part in ["还没有连上", "请居民按下面的办法办", "不动产登记机构", "不动产权属证书"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!actions(&browser).iter().any(|action| action.ends_with("/again")), "asking again would change nothing");
    assert!(browser.links().iter().any(|link| link.ends_with("/notice")));
    assert!(browser.links().iter().any(|link| link.starts_with("/deliberations/new?matter=property")));
}

#[tokio::test]
async fn what_could_not_be_asked_in_time_is_told_and_asked_again() {
    let usual = include_str!("../../config/heyan.toml");
    let changes = [("open_for = \"168h\"", "open_for = \"2s\""), ("again_after = \"30s\"", "again_after = \"1s\"")];
    let folder = overlay(&[("config/heyan.toml", replaced(usual, &changes))]);
    let town = Demo::with(&["--overlay", folder.to_str().unwrap()]);
    town.fault("health", "refuse").await;
    let mut browser = asked(&town, "健在").await;
    let result = browser.path.clone();
    for _ in 0..300 {
        if browser.heading() != "还没有结果" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        browser.go(&result).await;
    }
    assert_eq!(browser.heading(), "现在问不到", "{}", browser.text());
    let said = browser.text();
    for part in ["不能确定结果", "居民不用因为这个去开证明", "着急的，先按下面的办法办", "怎么办"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    town.heal().await;
    let again = actions(&browser).into_iter().find(|action| action.ends_with("/again")).unwrap();
    browser.submit(&again, &[]).await;
    let review = browser.path.clone();
    // The department is left alone for a moment after it has failed.
    for _ in 0..300 {
        browser.submit(&review, &[]).await;
        if browser.heading() == "核验属实" {
            break;
        }
        let again = actions(&browser).into_iter().find(|action| action.ends_with("/again"));
        match again {
            Some(again) => browser.submit(&again, &[]).await,
            None => browser.go(&review).await,
        }
        if !browser.path.ends_with("/review") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(["核验属实", "还没有结果"].contains(&browser.heading().as_str()), "{}", browser.text());
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn who_cannot_be_asked_is_told_and_can_be_asked_again() {
    let town = Demo::new();
    town.fault("health", "refuse").await;
    let mut browser = asked(&town, "健在").await;
    // The demo keeps a question until the department can be asked.
    let said = browser.heading();
    assert!(["还没有结果", "现在问不到"].contains(&said.as_str()), "{said}");
    town.heal().await;
    let result = browser.path.clone();
    browser.go(&result).await;
    assert_eq!(browser.page.status, 200);
}

#[tokio::test]
async fn whoever_does_not_take_the_receipt_is_recorded_from_the_result() {
    let town = Demo::shared();
    let mut browser = asked(&town, "夫妻").await;
    assert_eq!(browser.heading(), "核验属实");
    browser.submit("/demands/new", &[]).await;
    let chosen = browser.page.text.split("<input ").find(|input| input.contains("value=\"refuses-receipt\"")).unwrap();
    assert!(chosen.contains(" checked"), "{chosen}");
    assert!(browser.page.text.contains("name=\"matter\" value=\"marital-status\""), "{}", browser.text());
}
