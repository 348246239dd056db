use std::time::Instant;

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::town::{Departments, Gateway, Reply, agency, client, free_address, is_named, question, send, until};

async fn start() -> (Departments, Gateway) {
    let address = free_address();
    let departments = Departments::start(&["--population", "2000", "--gateway", &format!("http://{address}")]);
    let mut gateway = Gateway::new(&departments, &[agency("fund", true, "")], &[]);
    gateway.address = address;
    gateway.start().await;
    (departments, gateway)
}

async fn tell(gateway: &Gateway, source: &str, token: &str, body: &Value) -> Reply {
    let request = gateway.request(Method::POST, &format!("/v1/sources/{source}/events"), token);
    send(request.header("content-type", "application/json").body(body.to_string())).await
}

#[tokio::test]
async fn the_answer_after_an_event_follows_it() {
    let (departments, gateway) = start().await;
    let person = departments.living().await.swap_remove(0);
    let alive = question("alive/alive", &person, &json!({}));
    for cached in [false, true] {
        let reply = gateway.ask("fund", &alive, &[]).await.body;
        assert_eq!(reply["outcome"], "confirmed", "{reply}");
        assert_eq!(reply["witnesses"][0]["cached"], cached, "{reply}");
    }
    let today = heyan::clock::day_of(jiff::Timestamp::now()).to_string();
    let everybody = ["police", "civil-affairs", "health", "court"];
    let event =
        json!({"kind": "death", "persons": [person["id_number"]], "on": today, "known_to": everybody, "notify": true});
    let happened = send(client().post(format!("{}/control/events", departments.control)).body(event.to_string())).await;
    for source in everybody {
        assert_eq!(happened.body["notified"][source], 204, "{happened:?}");
    }
    assert_eq!(gateway.ask("fund", &alive, &[]).await.body["outcome"], "refuted");
}

#[tokio::test]
async fn an_event_is_taken_from_its_source_alone() {
    let (_departments, gateway) = start().await;
    let event = json!({"subjects": ["11010519491231002X"], "kind": "death"});
    for token in ["", "forged", "demo-court-events", "fund"] {
        assert_eq!(tell(&gateway, "police", token, &event).await.status, 401, "{token}");
    }
    let request = client().post(format!("http://{}/v1/sources/police/events", gateway.address));
    let reply = send(request.header("content-type", "application/json").body(event.to_string())).await;
    assert_eq!(reply.status, 401);
    assert_eq!(tell(&gateway, "no-such", "demo-police-events", &event).await.status, 401);
    // That nobody has this number is not said.
    assert_eq!(tell(&gateway, "police", "demo-police-events", &event).await.status, 204);
    for (subjects, pointer) in [
        (json!(vec!["11010519491231002X"; 1001]), "/subjects"),
        (json!(["11010519491231002X", "110105194912310021"]), "/subjects/1"),
        (json!([]), "/subjects"),
    ] {
        let reply = tell(&gateway, "police", "demo-police-events", &json!({"subjects": subjects})).await;
        assert_eq!((reply.status, &reply.body["errors"][0]["pointer"]), (422, &json!(pointer)), "{reply:?}");
    }
}

#[tokio::test]
async fn what_was_under_way_when_an_event_came_is_not_remembered() {
    let (departments, gateway) = start().await;
    let person = departments.living().await.swap_remove(0);
    departments.fault("police", "person", "delay", 1500).await;
    let request = gateway.post("fund", &is_named(&person), &[("prefer", "wait=20")]);
    let asking = tokio::spawn(send(request));
    until("the police are asked", async || (departments.calls("police", "person").await == 1).then_some(())).await;
    let event = json!({"subjects": [person["id_number"]]});
    assert_eq!(tell(&gateway, "police", "demo-police-events", &event).await.status, 204);
    assert_eq!(asking.await.unwrap().body["outcome"], "confirmed");
    departments.heal().await;
    for cached in [false, true] {
        let reply = gateway.ask("fund", &is_named(&person), &[]).await.body;
        assert_eq!(reply["witnesses"][0]["cached"], cached, "{reply}");
    }
    assert_eq!(departments.calls("police", "person").await, 2);
}

#[tokio::test]
async fn an_event_costs_little_however_much_is_remembered() {
    let (departments, gateway) = start().await;
    let people: Vec<Value> = departments.living().await.into_iter().take(1000).collect();
    let asked = people.iter().map(async |person| gateway.ask("fund", &is_named(person), &[]).await.status);
    let statuses: Vec<u16> = futures_util::stream::iter(asked).buffer_unordered(32).collect().await;
    assert!(statuses.iter().all(|status| *status == 200));
    for count in [1, 1000] {
        let subjects: Vec<&Value> = people.iter().take(count).map(|person| &person["id_number"]).collect();
        let (count, began) = (subjects.len(), Instant::now());
        assert_eq!(tell(&gateway, "police", "demo-police-events", &json!({"subjects": subjects})).await.status, 204);
        println!("an event of {count} persons among {} facts took {:?}", people.len(), began.elapsed());
    }
}
