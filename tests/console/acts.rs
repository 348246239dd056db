//! What an operator does is recorded, takes effect, and happens once.

use serde_json::{Value, json};

use crate::town::Town;
use crate::watching::Events;

async fn state(town: &Town) -> Value {
    let sources: Value = serde_json::from_str(&town.get("/v1/sources").await.text().await.unwrap()).unwrap();
    sources["sources"].as_array().unwrap().iter().find(|source| source["id"] == "police").unwrap().clone()
}

#[tokio::test]
async fn a_department_is_closed_with_a_reason_and_stays_so_across_a_restart() {
    let mut town = Town::start();
    let mut people = town.people().await.into_iter();
    let mut ask = async |town: &Town| town.ask(&people.next().unwrap()).await;
    let mut browser = town.operator().await;
    browser.go("/operator/departments/police/close").await;
    assert!(browser.text().contains("手工关闭：公安机关（户籍）") && browser.text().contains("不再调用"));
    assert!(browser.text().contains("1 小时后自动打开"), "{}", browser.text());
    for (fields, told) in [
        (&[("term", "open")][..], "请写明理由"),
        (&[("term", "open"), ("reason", " \n ")], "请写明理由"),
        (&[("term", "open"), ("reason", &"长".repeat(201))], "最多 200 个字"),
        (&[("term", "for ever"), ("reason", "升级")], "请选择关闭多久"),
    ] {
        browser.act(fields).await;
        assert!(browser.page.status == 422 && browser.text().contains(told), "{}", browser.text());
    }
    assert!(town.administered().await.is_empty(), "nothing was done");
    assert_eq!(ask(&town).await["outcome"], "confirmed");
    // A double click: the same form twice.
    let fields = browser
        .page
        .form(&browser.path)
        .with(&[("term", "open"), ("reason", "公安\u{202e}升级\u{2067} <b>\r\n110105\u{200f}19491231002X\u{61c}")]);
    let mut twin = browser.clone();
    let path = browser.path.clone();
    tokio::join!(browser.post(&path, &fields), twin.post(&path, &fields));
    assert_eq!((browser.page.status, twin.page.status), (200, 200));
    assert_eq!((&*browser.path, &*twin.path), ("/operator/departments/police", "/operator/departments/police"));
    let offered = |browser: &crate::tab::Tab| browser.page.text.contains("href=\"/operator/departments/police/open\"");
    assert!(browser.text().contains("已手工关闭，已 ") && offered(&browser));
    assert!(!browser.text().contains("已手工关闭，已手工关闭"), "{}", browser.text());
    assert!(browser.page.text.contains("公安升级 &#60;b&#62; ******************"));
    let done = town.administered().await;
    assert_eq!(done.len(), 1, "{done:?}");
    let expected = json!({"act": "close-source", "object": "police", "officer": "operator"});
    for key in ["act", "object", "officer"] {
        assert_eq!(done[0][key], expected[key]);
    }
    assert_eq!(done[0]["reason"], "公安升级 <b> ******************");
    for restarted in [false, true] {
        let reply = ask(&town).await;
        assert_eq!(
            (&reply["outcome"], &reply["witnesses"][0]["cause"]),
            (&json!("unavailable"), &json!("closed-by-operator"))
        );
        assert_eq!(state(&town).await["state"], "closed-by-operator");
        if !restarted {
            town.restart();
        }
    }
    let mut browser = town.operator().await;
    assert!(browser.text().contains("已手工关闭") && browser.text().contains("公安升级"), "{}", browser.text());
    browser.go("/operator/departments/police/open").await;
    browser.act(&[("reason", "升级完成")]).await;
    assert_eq!(browser.path, "/operator/departments/police");
    assert!(!offered(&browser), "it is open");
    assert_eq!(ask(&town).await["outcome"], "confirmed");
    assert_ne!(state(&town).await["state"], "closed-by-operator");
    let acts: Vec<Value> = town.administered().await.into_iter().map(|entry| entry["act"].clone()).collect();
    assert_eq!(acts, [json!("close-source"), json!("open-source")]);
}

#[tokio::test]
async fn others_do_nothing_and_what_cannot_be_recorded_is_not_done() {
    let town = Town::start();
    let mut operator = town.operator().await;
    let pages =
        ["/operator", "/operator/live", "/operator/departments/police/close", "/operator/drain", "/operator/ledger"];
    for role in ["committee", "supervisor"] {
        let mut other = town.somebody(role).await;
        for path in pages {
            assert_eq!(other.ask(path).await.status(), 403, "{role} {path}");
        }
        let forged = [("csrf", "x"), ("form", "y"), ("reason", "z"), ("term", "open")];
        let reply = other.browser.post("/operator/departments/police/close", &forged).await;
        assert_eq!(reply.status, 403);
    }
    for token in [&[][..], &[("csrf", "AAAA"), ("form", "y")]] {
        let forged = [token, &[("reason", "z"), ("term", "open")]].concat();
        let reply = operator.browser.post("/operator/departments/police/close", &forged).await;
        assert_eq!(reply.status, 403, "a form that is none of ours");
    }
    operator.go("/operator/departments/nobody/close").await;
    assert_eq!(operator.page.status, 404);
    operator.go("/operator/departments/police/close").await;
    town.demo.limit_files(Some(0));
    operator.act(&[("term", "open"), ("reason", "升级")]).await;
    assert_eq!(operator.page.status, 503);
    operator.go("/operator").await;
    assert!(!operator.text().contains("已手工关闭"), "{}", operator.text());
    operator.go("/operator/ledger").await;
    assert!(operator.text().contains("账本写不进去"), "{}", operator.text());
}

#[tokio::test]
async fn a_gateway_that_is_drained_answers_and_sends_others_elsewhere() {
    let town = Town::start();
    let mut browser = town.operator().await;
    assert_eq!(town.get("/readyz").await.status(), 200);
    let mut open = Events::open(&browser, "/operator/live").await;
    assert!(!open.next().await.unwrap().1.contains("正在排空"));
    browser.go("/operator/drain").await;
    browser.act(&[("reason", "换磁盘")]).await;
    while !open.next().await.unwrap().1.contains("正在排空") {}
    assert_eq!(browser.path, "/operator/configuration");
    assert!(browser.text().contains("换磁盘") && browser.page.text.contains("起正在排空（"));
    let ready = town.get("/readyz").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.text().await.unwrap(), r#"{"status":"draining"}"#);
    let sources = town.get("/v1/sources").await;
    assert_eq!((sources.status().as_u16(), &sources.headers()["connection"]), (200, &"close".parse().unwrap()));
    assert_eq!(town.get("/livez").await.status(), 200);
    browser.go("/operator/undrain").await;
    browser.act(&[("reason", "换好了")]).await;
    assert_eq!(town.get("/readyz").await.status(), 200);
    assert!(!town.get("/v1/sources").await.headers().contains_key("connection"));
    let acts: Vec<Value> = town.administered().await.into_iter().map(|entry| entry["act"].clone()).collect();
    assert_eq!(acts, [json!("drain"), json!("undrain")]);
}

#[tokio::test]
async fn a_configuration_is_read_anew_and_a_bad_one_is_told_with_its_lines() {
    let town = Town::start();
    let mut browser = town.operator().await;
    browser.go("/operator/configuration").await;
    let generation = |text: &str| {
        let after = text.split("第几版配置").nth(1).unwrap();
        after.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    assert_eq!(generation(&browser.text()), "1");
    town.write("config/agencies/bad.toml", "[[agencies]]\nid = \"fund\"\nnam = \"甲\"\n");
    let reload = async |browser: &mut crate::tab::Tab| {
        browser.go("/operator/reload").await;
        browser.act(&[("reason", "新的部门")]).await;
        assert_eq!(browser.path, "/operator/configuration", "{}", browser.text());
    };
    reload(&mut browser).await;
    assert!(browser.text().contains("bad.toml:3"), "{}", browser.text());
    assert_eq!(generation(&browser.text()), "1");
    town.remove("config/agencies/bad.toml");
    reload(&mut browser).await;
    assert_eq!(generation(&browser.text()), "2");
    assert!(!browser.text().contains("bad.toml"));
    assert_eq!(town.administered().await.len(), 2);
}
