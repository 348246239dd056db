//! Faults: what they do to replies and connections.

use std::time::{Duration, Instant};

use heyan::simulator::Simulator;
use serde_json::{Value, json};

use super::client::{
    ask_civil_affairs, ask_court, ask_health, civil_key, control, court_token, police, police_body, police_rows, send,
};
use super::{address, member, start};

async fn set(simulator: &Simulator, fault: &str, source: &str, operation: &str, millis: u64) {
    control("DELETE", &simulator.control(), "faults", &Value::Null).await;
    let body = json!({ "source": source, "operation": operation, "fault": fault, "share": 1.0, "millis": millis });
    let reply = control("PUT", &simulator.control(), "faults", &body).await;
    assert_eq!((reply.status, reply.json()), (200, json!([body])));
}

#[tokio::test]
async fn faults_are_listed_and_nonsense_is_refused() {
    let simulator = start().await;
    set(&simulator, "delay", "police", "person", 5).await;
    let list = control("GET", &simulator.control(), "faults", &Value::Null).await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    for (key, value, reason) in [
        ("source", json!("army"), "army"),
        ("operation", json!("birth"), "birth"),
        ("fault", json!("explode"), "explode"),
        ("share", json!(1.5), "share"),
        ("when", json!("now"), "when"),
    ] {
        let mut body = json!({ "source": "police", "operation": "*", "fault": "hang", "share": 1.0, "millis": 0 });
        body[key] = value;
        let reply = control("PUT", &simulator.control(), "faults", &body).await;
        assert_eq!(reply.status, 422, "{body}");
        assert!(reply.json()["error"].as_str().unwrap().contains(reason), "{}", reply.text());
    }
    assert_eq!(control("DELETE", &simulator.control(), "faults", &Value::Null).await.status, 204);
    assert_eq!(control("GET", &simulator.control(), "faults", &Value::Null).await.json(), json!([]));
}

#[tokio::test]
async fn connections_and_bodies_break() {
    let simulator = start().await;
    let address = address(&simulator, "police");
    let body = police_body("S-RK-001", &member(&simulator, "alive", "person").id_number);
    let ask = async || police(&address, &body, "demo-police-secret").await;
    let whole = ask().await.unwrap().body;

    for operation in ["person", "*"] {
        set(&simulator, "refuse", "police", operation, 0).await;
        assert!(ask().await.is_err());
    }
    set(&simulator, "cut", "police", "*", 0).await;
    assert!(ask().await.is_err());
    set(&simulator, "hang", "police", "person", 0).await;
    assert!(tokio::time::timeout(Duration::from_millis(60), ask()).await.is_err());
    for (fault, status) in [("status-500", 500), ("status-503", 503)] {
        set(&simulator, fault, "police", "person", 0).await;
        assert_eq!(ask().await.unwrap().status, status);
    }
    set(&simulator, "garbage", "police", "person", 0).await;
    assert!(serde_json::from_slice::<Value>(&ask().await.unwrap().body).is_err());
    set(&simulator, "empty-200", "police", "person", 0).await;
    let empty = ask().await.unwrap();
    assert_eq!((empty.status, empty.body.len()), (200, 0));
    set(&simulator, "huge", "police", "person", 0).await;
    let huge = ask().await.unwrap().body;
    assert!(huge.len() > 60_000_000 && huge.starts_with(&whole));
    for (fault, millis) in [("delay", 40), ("drip", 1)] {
        set(&simulator, fault, "police", "person", millis).await;
        let begin = Instant::now();
        assert_eq!(ask().await.unwrap().body, whole);
        assert!(begin.elapsed() >= Duration::from_millis(40), "{fault}");
    }
    set(&simulator, "refuse", "police", "households", 0).await;
    assert_eq!(ask().await.unwrap().body, whole);
}

#[tokio::test]
async fn a_department_says_whether_it_is_up() {
    let simulator = start().await;
    for source in ["police", "civil-affairs", "health", "court"] {
        let url = format!("{}/health", address(&simulator, source));
        let ask = async || send("GET", &url, &[], "").await;
        let reply = ask().await.unwrap();
        assert_eq!((reply.status, reply.json()), (200, json!({ "status": "UP" })));
        assert_eq!(send("POST", &url, &[], "").await.unwrap().status, 404);
        for (fault, status) in [("status-500", 500), ("status-503", 503)] {
            set(&simulator, fault, source, "*", 0).await;
            assert_eq!(ask().await.unwrap().status, status, "{source}");
        }
        set(&simulator, "refuse", source, "*", 0).await;
        assert!(ask().await.is_err(), "{source}");
        set(&simulator, "hang", source, "*", 0).await;
        assert!(tokio::time::timeout(Duration::from_millis(40), ask()).await.is_err(), "{source}");
        for fault in ["garbage", "empty-200", "huge", "cut", "unknown-code", "bad-signature", "delay"] {
            set(&simulator, fault, source, "*", 3_600_000).await;
            assert_eq!(ask().await.unwrap().json(), json!({ "status": "UP" }), "{source}: {fault}");
        }
    }
    set(&simulator, "refuse", "police", "person", 0).await;
    let up = send("GET", &format!("{}/health", address(&simulator, "police")), &[], "").await.unwrap();
    assert_eq!(up.status, 200);
    let calls = control("GET", &simulator.control(), "calls", &Value::Null).await.json();
    let counts = calls.as_object().unwrap().values().flat_map(|source| source.as_object().unwrap().values());
    assert!(counts.into_iter().all(|count| *count == 0), "{calls}");
}

#[tokio::test]
async fn contents_go_wrong_in_every_dialect() {
    let simulator = start().await;
    let person = member(&simulator, "half-siblings", "person");
    let number = person.id_number.as_str();
    let [police_at, civil, health, court] =
        ["police", "civil-affairs", "health", "court"].map(|source| address(&simulator, source));
    let key = civil_key(&civil, "demo-civil-first-key").await["data"]["secret"].as_str().unwrap().to_owned();
    let token = court_token(&court).await;
    let spouse = member(&simulator, "spouses", "person").id_number;

    for (fault, police_code, civil_code, health_code, court_code) in [
        ("unknown-code", "0A7", "2", "206", json!("7")),
        ("bad-signature", "900", "A401", "401", json!("401")),
        ("wrong-schema", "000", "1", "200", json!(0)),
        ("null", "000", "1", "200", json!("0")),
        ("wrong-person", "000", "1", "200", json!("0")),
    ] {
        set(&simulator, fault, "police", "*", 0).await;
        let reply = police(&police_at, &police_body("S-RK-001", number), "demo-police-secret").await.unwrap().json();
        assert_eq!(police_rows(&reply).0, police_code, "{fault}");
        let named = &police_rows(&reply).1[0]["GMSFHM"];
        assert_eq!(named == number, fault == "unknown-code", "{fault}");
        if fault == "null" {
            assert!(reply["PayLoad"]["Data"]["Result"].is_null());
        }
        set(&simulator, fault, "civil-affairs", "*", 0).await;
        let reply = ask_civil_affairs(&civil, &key, "marriage", &spouse, "测试").await;
        assert_eq!(reply["code"], civil_code, "{fault}");
        let text = reply.to_string();
        assert_eq!(text.contains(&spouse), matches!(fault, "unknown-code" | "wrong-schema"), "{fault}");
        set(&simulator, fault, "health", "*", 0).await;
        let reply = ask_health(&health, "demo-health-token", "child", number).await.unwrap();
        assert!(reply.contains(&format!("<code>{health_code}</code>")), "{reply}");
        assert_eq!(reply.contains(number), fault == "unknown-code", "{fault}");
        set(&simulator, fault, "court", "*", 0).await;
        let body = json!({ "sfzh": spouse, "xm": "a", "org": "b", "reason": "c" });
        assert_eq!(ask_court(&court, &token, "index", &body).await.json()["code"], court_code, "{fault}");
    }
}

#[tokio::test]
async fn a_share_hits_some_calls() {
    let simulator = start().await;
    let address = address(&simulator, "police");
    let body = json!({ "source": "police", "operation": "*", "fault": "status-503", "share": 0.5, "millis": 0 });
    control("PUT", &simulator.control(), "faults", &body).await;
    let query = police_body("S-RK-001", &member(&simulator, "alive", "person").id_number);
    let mut broken = 0;
    for _ in 0..60 {
        broken += usize::from(police(&address, &query, "demo-police-secret").await.unwrap().status == 503);
    }
    assert!((10..50).contains(&broken), "{broken}");
}
