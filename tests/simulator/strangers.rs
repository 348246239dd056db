//! Replies about somebody else: whatever is asked about whomever, none of them is about the person asked for.

use heyan::simulator::Simulator;
use serde_json::{Value, json};

use super::client::{ask_civil_affairs, ask_court, ask_health, ask_police, civil_key, control, court_token, truth};
use super::{address, member, start};

async fn answer_about_others(simulator: &Simulator) {
    for source in ["police", "civil-affairs", "health", "court"] {
        let fault = json!({ "source": source, "operation": "*", "fault": "wrong-person" });
        assert_eq!(control("PUT", &simulator.control(), "faults", &fault).await.status, 200);
    }
}

/// All of the cast, some of the others, and a number that nobody has.
async fn people(simulator: &Simulator) -> Vec<String> {
    let lines = truth(&simulator.control()).await;
    let cast = simulator.cast().iter().flat_map(|case| case.people.values()).map(|person| person.id_number.clone());
    let others = lines.iter().step_by(11).map(|line| line["id_number"].as_str().unwrap().to_owned());
    cast.chain(others).chain(["210102190001010014".to_owned()]).collect()
}

#[tokio::test]
async fn every_department_shows_a_record_that_does_not_name_the_person() {
    let simulator = start().await;
    answer_about_others(&simulator).await;
    let [police, civil, health] = ["police", "civil-affairs", "health"].map(|source| address(&simulator, source));
    let key = civil_key(&civil, "demo-civil-first-key").await["data"]["secret"].as_str().unwrap().to_owned();
    for person in people(&simulator).await {
        for service in ["S-RK-001", "S-HJ-002"] {
            let (code, rows) = ask_police(&police, service, &person).await;
            assert_eq!(code, "000", "{service} {person}");
            assert!(!rows.as_array().unwrap().is_empty(), "{service} {person}");
            assert!(!rows.to_string().contains(&person), "{service} {person}");
        }
        for method in ["marriage", "adoption"] {
            let reply = ask_civil_affairs(&civil, &key, method, &person, "测试").await;
            assert_eq!(reply["code"], "1", "{method} {person}");
            assert!(!reply["biz_data"]["result"].as_array().unwrap().is_empty(), "{method} {person}");
            assert!(!reply.to_string().contains(&person), "{method} {person}");
        }
        for kind in ["child", "parent", ""] {
            let reply = ask_health(&health, "demo-health-token", kind, &person).await.unwrap();
            assert!(reply.contains("<code>200</code>") && reply.contains("<row>"), "{kind} {person}");
            assert!(!reply.contains(&person), "{kind} {person}");
        }
    }
}

#[tokio::test]
async fn the_court_says_of_somebody_else_the_opposite_of_what_holds() {
    let simulator = start().await;
    let court = address(&simulator, "court");
    let token = court_token(&court).await;
    let people = people(&simulator).await;
    let mut honest = Vec::new();
    for person in &people {
        let body = json!({ "sfzh": person, "xm": "a", "org": "b", "reason": "c" });
        let reply = ask_court(&court, &token, "index", &body).await.json();
        assert_eq!(&reply["sfzh"], person);
        honest.push(reply);
    }
    answer_about_others(&simulator).await;
    for (person, honest) in people.iter().zip(honest) {
        let body = json!({ "sfzh": person, "xm": "a", "org": "b", "reason": "c" });
        let reply = ask_court(&court, &token, "index", &body).await.json();
        assert!(reply["sfzh"].is_string() && reply["sfzh"] != person.as_str(), "{reply}");
        let code = if honest["code"] == "0" { "1" } else { "0" };
        assert_eq!((&reply["code"], reply["kinds"] == json!([])), (&json!(code), code == "1"), "{person}");
    }
}

#[tokio::test]
async fn the_court_hands_out_somebody_elses_judgments() {
    let simulator = start().await;
    let court = address(&simulator, "court");
    let token = court_token(&court).await;
    answer_about_others(&simulator).await;
    for (case, role) in [
        ("divorced-by-court", "person"),
        ("divorced-by-court", "spouse"),
        ("declared-missing", "person"),
        ("alive", "person"),
    ] {
        let person = member(&simulator, case, role).id_number;
        let apply = json!({ "sfzh": person, "xm": "a", "org": "b", "reason": "c" });
        let number = ask_court(&court, &token, "apply", &apply).await.json()["sqbh"].clone();
        let fetch = json!({ "sqbh": number, "org": "b", "reason": "c" });
        let mut reply = json!({ "code": "2" });
        while reply["code"] == "2" {
            reply = ask_court(&court, &token, "feedback", &fetch).await.json();
        }
        assert_eq!(reply["code"], "0", "{case}");
        assert!(reply["judgments"].as_array().is_some_and(|judgments: &Vec<Value>| !judgments.is_empty()), "{case}");
        assert!(!reply.to_string().contains(&person), "{case}: {reply}");
    }
}
