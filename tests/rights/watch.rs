//! Guessing is slowed, stopped and told, and nobody is named.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::town::{Departments, Gateway, Reply, is_named, until};
use super::{agency, everything};

/// How long a question is slowed that is just past the first bound: a tenth of this.
const DELAY: (&str, &str) = ("delay = \"2s\"", "delay = \"3s\"");

fn is_stopped(reply: &Reply) -> u64 {
    assert_eq!((reply.status, &reply.body["code"]), (429, &json!("probing-suspected")), "{reply:?}");
    assert_eq!((&reply.body["origin"], &reply.body["retryable"]), (&json!("client"), &json!(true)));
    reply.header("retry-after").parse().unwrap()
}

fn under_name(person: &Value, name: &str) -> Value {
    let mut question = is_named(person);
    question["subjects"]["person"]["name"] = json!(name);
    question
}

/// What the operator has been told of guessing.
async fn told(gateway: &Gateway, times: usize) -> Vec<String> {
    let look = async || {
        let log = gateway.log.text();
        let lines: Vec<String> =
            log.lines().filter(|line| line.contains("look like guessing")).map(str::to_owned).collect();
        (lines.len() >= times).then_some(lines)
    };
    until("the operator is told", look).await
}

#[tokio::test]
async fn a_name_is_not_found_out_by_trying() {
    let departments = Departments::start(&["--population", "200"]);
    let changes = [("names = { slow = 3, stop = 6 }", "names = { slow = 1, stop = 2 }"), DELAY];
    let gateway = Gateway::started(&departments, &[agency("fund", &[&everything("")])], &changes).await;
    let people = departments.living().await;
    let mut tried = Vec::new();
    for (number, name) in ["张一", "张二", "张三", "张四"].into_iter().enumerate() {
        let mut question = under_name(&people[0], name);
        // Another officer each time: it does not help.
        question["officer"] = json!(format!("经办人{number}"));
        let began = Instant::now();
        tried.push((gateway.ask("fund", &question, &[]).await, began.elapsed()));
    }
    assert_eq!(tried.iter().map(|(reply, _)| reply.status).collect::<Vec<_>>(), [200, 200, 429, 429], "{tried:?}");
    assert_eq!(tried[0].0.body["outcome"], "mismatch");
    assert!(tried[1].1 >= Duration::from_secs(3), "half way and at the second bound it waits the whole delay");
    assert!(tried[2..].iter().all(|(reply, _)| is_stopped(reply) > 80_000));
    // The right name is a guess like any other; another person is another matter.
    is_stopped(&gateway.ask("fund", &is_named(&people[0]), &[]).await);
    assert_eq!(gateway.ask("fund", &is_named(&people[1]), &[]).await.body["outcome"], "confirmed");
    let told = told(&gateway, 2).await;
    assert_eq!(told.len(), 2, "once when it is slowed and once when it is stopped: {told:#?}");
    assert!(told.iter().all(|line| line.contains("fund") && line.contains("names")), "{told:#?}");
    let log = gateway.log.text();
    let number = people[0]["id_number"].as_str().unwrap();
    for personal in [number, people[0]["name"].as_str().unwrap(), "张三", "经办人"] {
        assert!(!log.contains(personal), "somebody is named in the log");
    }
}

#[tokio::test]
async fn an_officer_who_asks_about_too_many_is_stopped_and_others_go_on() {
    let departments = Departments::start(&["--population", "500"]);
    let changes = [
        ("subjects_10m = { slow = 60, stop = 120 }", "subjects_10m = { slow = 3, stop = 3 }"),
        ("subjects_10m = { slow = 3000, stop = 6000 }", "subjects_10m = { slow = 6, stop = 6 }"),
    ];
    let agencies = [agency("fund", &[&everything("")]), agency("bank", &[&everything("")])];
    let gateway = Gateway::started(&departments, &agencies, &changes).await;
    let people = departments.living().await;
    let ask = async |agency: &str, officer: Option<&str>, number: usize| {
        let mut question = is_named(&people[number]);
        if let Some(officer) = officer {
            question["officer"] = json!(officer);
        }
        gateway.ask(agency, &question, &[]).await
    };
    for number in 0..3 {
        assert_eq!(ask("fund", Some("甲"), number).await.status, 200);
        assert_eq!(ask("fund", Some("甲"), number).await.status, 200, "the same person is no further one");
    }
    assert!((1..=600).contains(&is_stopped(&ask("fund", Some("甲"), 3).await)));
    let calls = departments.calls("police", "person").await;
    is_stopped(&ask("fund", Some("甲"), 4).await);
    assert_eq!(departments.calls("police", "person").await, calls, "who is stopped asks nobody");
    for (officer, number) in [("乙", 3), ("丙", 4), ("丁", 5)] {
        assert_eq!(ask("fund", Some(officer), number).await.status, 200);
    }
    // The agency as a whole has had enough: officers that are invented, or not named, do not help.
    is_stopped(&ask("fund", Some("戊"), 6).await);
    is_stopped(&ask("fund", None, 7).await);
    assert_eq!(ask("bank", Some("甲"), 8).await.status, 200, "nor does it harm another agency");
}

#[tokio::test]
async fn answers_count_when_they_come_later_and_once() {
    let departments = Departments::start(&["--population", "500"]);
    let changes = [("mismatch = { slow = 20, stop = 50, of = 200 }", "mismatch = { slow = 50, stop = 50, of = 4 }")];
    let mut gateway = Gateway::new(&departments, &[agency("fund", &[&everything("keep = true")])], &changes);
    gateway.be_patient_with_police();
    gateway.start().await;
    let people = departments.living().await;
    departments.fault("police", "*", "delay", 300).await;
    for (number, person) in people[..3].iter().enumerate() {
        let key = [("prefer", "wait=0"), ("idempotency-key", ["a", "b", "c"][number])];
        let reply = gateway.ask("fund", &under_name(person, "查无此人"), &key).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(gateway.outcome("fund", reply.id()).await["outcome"], "mismatch");
        // Said again and looked at again, it is the same answer.
        assert_eq!(gateway.ask("fund", &under_name(person, "查无此人"), &key).await.status, 202);
    }
    assert_eq!(gateway.ask("fund", &is_named(&people[4]), &[]).await.body["outcome"], "confirmed");
    let reply = gateway.ask("fund", &is_named(&people[5]), &[]).await;
    assert!(is_stopped(&reply) <= 86_400);
    // In memory alone: a new process begins anew.
    gateway.kill();
    gateway.start().await;
    assert_eq!(gateway.ask("fund", &is_named(&people[5]), &[]).await.status, 200);
}
