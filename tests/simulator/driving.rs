//! The control endpoint: the truth, events, calls.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::{
    ask_civil_affairs, ask_court, ask_health, ask_police, civil_key, control, court_token, truth, truth_of,
};
use super::{address, member, start};

#[tokio::test]
async fn the_truth_agrees_with_itself() {
    let simulator = start().await;
    let lines = truth(&simulator.control()).await;
    assert_eq!(lines.len(), 400);
    let by_number: HashMap<&str, &Value> =
        lines.iter().map(|line| (line["id_number"].as_str().unwrap(), line)).collect();
    assert_eq!(by_number.len(), 400);
    for line in &lines {
        for marriage in line["marriages"].as_array().unwrap() {
            let spouse = by_number[marriage["spouse"].as_str().unwrap()];
            let mirrored = spouse["marriages"].as_array().unwrap().iter().any(|own| {
                own["spouse"] == line["id_number"]
                    && own["from"] == marriage["from"]
                    && own["ended_by"] == marriage["ended_by"]
            });
            assert!(mirrored, "{line}");
        }
        assert!(
            line["died"].is_null() || line["household"].is_null() || line["unknown_to"]["police"][0] == "died",
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_marriage_and_its_divorce_are_known_to_whom_they_are_told() {
    let simulator = start().await;
    let [control_address, civil] = [simulator.control(), address(&simulator, "civil-affairs")];
    let key = civil_key(&civil, "demo-civil-first-key").await["data"]["secret"].as_str().unwrap().to_owned();
    let [woman, man] =
        [("unmarried", "person"), ("rare-name", "person")].map(|(case, role)| member(&simulator, case, role).id_number);
    let event = |kind: &str, on: &str, known_to: Value| json!({ "kind": kind, "persons": [woman, man], "on": on, "known_to": known_to, "notify": false });
    let happen = async |event: Value| control("POST", &control_address, "events", &event).await;
    let records =
        async || ask_civil_affairs(&civil, &key, "marriage", &woman, "测试").await["biz_data"]["result"].clone();

    let reply = happen(event("marriage", "2026-06-01", json!([]))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["persons"][0]["unknown_to"], json!({ "civil-affairs": ["marriage"] }));
    assert_eq!(records().await, json!([]));
    assert_eq!(happen(event("marriage", "2026-06-01", json!(["civil-affairs"]))).await.status, 200);
    assert_eq!(records().await[0]["djrq"], "2026-06-01");

    let reply = happen(event("court-divorce", "2026-06-20", json!(["court"]))).await.json();
    assert_eq!(reply["persons"][1]["marriages"][0]["ended_by"], "court");
    assert_eq!(reply["persons"][1]["unknown_to"], json!({ "civil-affairs": ["court-divorce"] }));
    assert_eq!(records().await[0]["zxyy"], "");
    let court = address(&simulator, "court");
    let token = court_token(&court).await;
    let index = json!({ "sfzh": man, "xm": "袁𠮷祥", "org": "a", "reason": "b" });
    assert_eq!(ask_court(&court, &token, "index", &index).await.json()["kinds"], json!(["divorce"]));
    assert_eq!(happen(event("court-divorce", "2026-06-20", json!(["court", "civil-affairs"]))).await.status, 200);
    assert_eq!(records().await[0]["zxyy"], "LH");
}

#[tokio::test]
async fn deaths_births_and_moves_change_the_registers() {
    let simulator = start().await;
    let [control_address, police] = [simulator.control(), address(&simulator, "police")];
    let happen = async |event: Value| control("POST", &control_address, "events", &event).await;
    let [person, spouse] = ["person", "spouse"].map(|role| member(&simulator, "spouses", role).id_number);

    let birth = json!({ "kind": "birth", "persons": [spouse, person], "on": "2026-06-02", "known_to": ["health"] });
    let reply = happen(birth).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let child = reply.json()["persons"][0].clone();
    assert_eq!(child["birth_parents"], json!([spouse, person]));
    assert_eq!(child["unknown_to"], json!({ "police": ["birth"] }));
    let number = child["id_number"].as_str().unwrap();
    assert_eq!(ask_police(&police, "S-RK-001", number).await.0, "001");
    let health = address(&simulator, "health");
    assert!(ask_health(&health, "demo-health-token", "child", number).await.unwrap().contains("<code>200</code>"));

    let moved = json!({ "kind": "move", "persons": [person, spouse], "on": "2026-06-03", "known_to": ["police"], "division": "210204" });
    assert_eq!(happen(moved).await.status, 200);
    let (_, rows) = ask_police(&police, "S-RK-001", &person).await;
    assert!(rows[0]["SSXQ"].as_str().unwrap().starts_with("210204"));
    let untold =
        json!({ "kind": "move", "persons": [spouse], "on": "2026-06-05", "known_to": [], "division": "210102001002" });
    let line = happen(untold).await.json()["persons"][0].clone();
    assert_eq!(
        (&line["registered_division"], &line["unknown_to"]["police"]),
        (&json!("210102001002"), &json!(["move"]))
    );
    let (_, rows) = ask_police(&police, "S-RK-001", &spouse).await;
    assert!(rows[0]["SSXQ"].as_str().unwrap().starts_with("210204"));

    let died = json!({ "kind": "death", "persons": [person], "on": "2026-06-10", "known_to": ["police", "health"] });
    let lines = happen(died).await.json()["persons"].clone();
    assert_eq!((&lines[0]["died"], &lines[0]["household"]), (&json!("2026-06-10"), &Value::Null));
    assert_eq!((&lines[1]["id_number"], &lines[1]["marriages"][0]["ended_by"]), (&json!(spouse), &json!("death")));
    assert_eq!(ask_police(&police, "S-RK-001", &person).await.1[0]["ZXBS"], "1");
    assert_eq!(truth_of(&control_address, &person).await, lines[0]);
}

#[tokio::test]
async fn what_cannot_happen_is_refused_with_a_reason() {
    let simulator = start().await;
    let [person, spouse] = ["person", "spouse"].map(|role| member(&simulator, "spouses", role).id_number);
    let other = member(&simulator, "unmarried", "person").id_number;
    let dead = member(&simulator, "died", "person").id_number;
    let event =
        |kind: &str, persons: Value, on: &str| json!({ "kind": kind, "persons": persons, "on": on, "known_to": [] });
    for (event, reason) in [
        (event("marriage", json!([person, other]), "2026-06-01"), "married"),
        (event("marriage", json!([other, spouse]), "2026-06-01"), "between"),
        (event("divorce", json!([person, other]), "2026-06-01"), "not married"),
        (event("divorce", json!([person, spouse]), "2126-06-01"), "future"),
        (event("death", json!([dead]), "2026-06-01"), "died already"),
        (event("death", json!([person]), "1990-06-01"), "lived"),
        (event("birth", json!([person]), "2026-06-01"), "mother"),
        (event("move", json!([dead]), "2026-06-01"), "living"),
        (event("death", json!(["210102199001011234"]), "2026-06-01"), "nobody"),
        (event("earthquake", json!([]), "2026-06-01"), "earthquake"),
        (json!({ "kind": "death", "persons": [person], "on": "2026-06-01", "known_to": ["army"] }), "army"),
    ] {
        let reply = control("POST", &simulator.control(), "events", &event).await;
        assert_eq!(reply.status, 422, "{event}");
        let said = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(said.contains(reason), "{said}");
    }
}

#[tokio::test]
async fn calls_are_counted_by_operation() {
    let simulator = start().await;
    let person = member(&simulator, "alive", "person").id_number;
    for _ in 0..3 {
        ask_police(&address(&simulator, "police"), "S-RK-001", &person).await;
    }
    ask_health(&address(&simulator, "health"), "demo-health-token", "parent", &person).await.unwrap();
    let calls = control("GET", &simulator.control(), "calls", &Value::Null).await.json();
    assert_eq!(calls["police"], json!({ "person": 3, "households": 0 }));
    assert_eq!(calls["health"]["births-of"], 1);
    assert_eq!(calls["court"]["judgments.fetch"], 0);
}

#[tokio::test]
async fn departments_that_know_tell_the_gateway() {
    let simulator = start().await;
    let gateway = TcpListener::bind("127.0.0.1:0").await.unwrap();
    simulator.handle().set_gateway(gateway.local_addr().unwrap().into());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = gateway.accept().await.unwrap();
        let mut bytes = vec![0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    });
    let person = member(&simulator, "alive", "person").id_number;
    let event =
        json!({ "kind": "death", "persons": [person], "on": "2026-06-10", "known_to": ["health"], "notify": true });
    let reply = control("POST", &simulator.control(), "events", &event).await.json();
    assert_eq!(reply["notified"], json!({ "health": 202 }));
    let heard = heard.await.unwrap();
    assert!(heard.starts_with("POST /v1/sources/health/events HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("Authorization: Bearer demo-health-events\r\n"));
    let body: Value = serde_json::from_str(heard.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body, json!({ "subjects": [person], "kind": "death", "on": "2026-06-10" }));
}
