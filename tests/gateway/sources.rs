//! How the departments are doing, as agencies are told.

use reqwest::Method;
use serde_json::{Value, json};

use super::asking::set_fault;
use super::demo::Demo;
use super::reply::send;

async fn source(demo: &Demo, id: &str) -> Value {
    let reply = send(demo.request(Method::GET, "/v1/sources").bearer_auth(demo.text("token"))).await.body;
    assert!(!reply.to_string().contains("127.0.0.1"), "no address is told: {reply}");
    reply["sources"].as_array().unwrap().iter().find(|source| source["id"] == id).unwrap().clone()
}

fn operation<'a>(source: &'a Value, id: &str) -> &'a Value {
    source["operations"].as_array().unwrap().iter().find(|operation| operation["id"] == id).unwrap()
}

#[tokio::test]
async fn only_real_calls_count_and_a_department_that_fails_is_left_alone() {
    let demo = Demo::with(&["--population", "200"]);
    let before = source(&demo, "police").await;
    assert_eq!((&before["state"], operation(&before, "person")), (&json!("not-asked-yet"), &never()));
    let mut request = demo.sample("户籍在辽宁省");
    demo.verify(&request).await;
    let asked = source(&demo, "police").await;
    assert_eq!((&asked["state"], &asked["until"], &asked["failed"]), (&json!("answering"), &Value::Null, &Value::Null));
    assert_eq!(asked["answered"], operation(&asked, "person")["answered"]);
    assert_eq!(operation(&asked, "households"), &never_of("households"));
    // What is remembered is no call.
    demo.verify(&request).await;
    assert_eq!(source(&demo, "police").await, asked);
    set_fault(&demo, "police", "status-500").await;
    request["max_age"] = json!("0s");
    let mut failing = Value::Null;
    for _ in 0..10 {
        demo.verify(&request).await;
        let now = source(&demo, "police").await;
        if now["state"] == "left-alone" {
            break;
        }
        failing = now;
    }
    assert_eq!((&failing["state"], &failing["answered"]), (&json!("failing"), &asked["answered"]));
    let alone = source(&demo, "police").await;
    let person = operation(&alone, "person");
    assert_eq!((&alone["state"], &person["state"]), (&json!("left-alone"), &json!("open")), "{alone}");
    assert!(alone["until"].as_str().unwrap() > person["failed"].as_str().unwrap(), "{alone}");
    assert_eq!((&alone["cause"], &person["cause"]), (&failing["cause"], &failing["cause"]));
    assert_eq!(operation(&alone, "households")["state"], "closed");
    // To be left alone is no new failure.
    demo.verify(&request).await;
    assert_eq!(operation(&source(&demo, "police").await, "person")["failed"], person["failed"]);
    // The time is over: the next call finds out.
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let waiting = source(&demo, "police").await;
    assert_eq!((&waiting["state"], &operation(&waiting, "person")["state"]), (&json!("failing"), &json!("probing")));
}

fn never() -> Value {
    never_of("person")
}

fn never_of(id: &str) -> Value {
    json!({"id": id, "state": "closed", "answered": null, "failed": null, "cause": null})
}

#[tokio::test]
async fn a_planned_outage_is_told_with_its_end_and_is_no_failure() {
    let overlay = std::env::temp_dir().join(format!("heyan-sources-{}", std::process::id()));
    let text = heyan::config::Folder::embedded().read("config/sources/police.toml").unwrap().text.clone();
    let closed =
        "[limits]\nplanned_outages = [{ from = \"00:00\", to = \"12:00\" }, { from = \"12:00\", to = \"00:00\" }]";
    std::fs::create_dir_all(overlay.join("config/sources")).unwrap();
    std::fs::write(overlay.join("config/sources/police.toml"), text.replacen("[limits]", closed, 1)).unwrap();
    let demo = Demo::with(&["--population", "200", "--overlay", overlay.to_str().unwrap()]);
    std::fs::remove_dir_all(&overlay).unwrap();
    demo.verify(&demo.sample("户籍在辽宁省")).await;
    let police = source(&demo, "police").await;
    assert_eq!((&police["state"], &police["failed"]), (&json!("planned-outage"), &Value::Null), "{police}");
    assert!(police["until"].is_string(), "{police}");
    assert_eq!(source(&demo, "vehicles").await["state"], "not-connected");
}
