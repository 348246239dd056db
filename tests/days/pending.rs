use std::time::{Duration, Instant};

use serde_json::json;

use super::town::{Departments, Gateway, agency, is_divorced, is_named};

#[tokio::test]
async fn a_reply_waits_as_long_as_its_caller_prefers() {
    let departments = Departments::start(&["--population", "1000", "--court-delay", "3000"]);
    let agencies = [agency("fund", true, ""), agency("bank", true, "")];
    let gateway = Gateway::started(&departments, &agencies, &[]).await;
    let people = departments.living().await;
    // The police have two seconds.
    for (person, fault, outcome) in [(&people[0], "delay", "confirmed"), (&people[1], "hang", "unavailable")] {
        departments.fault("police", "*", fault, 1500).await;
        let began = Instant::now();
        let reply = gateway.ask("fund", &is_named(person), &[("prefer", "wait=1")]).await;
        let took = began.elapsed();
        assert_eq!((reply.status, &reply.body["outcome"]), (202, &json!("pending")), "{reply:?}");
        assert!(took >= Duration::from_secs(1), "{took:?}");
        assert_eq!(reply.header("location"), format!("/v1/verifications/{}", reply.id()));
        assert_eq!(gateway.show("bank", reply.id()).await.status, 404);
        assert_eq!(gateway.outcome("fund", reply.id()).await["outcome"], outcome);
        assert_eq!(gateway.show("bank", reply.id()).await.status, 404);
        departments.heal().await;
    }
}

#[tokio::test]
async fn a_question_that_expires_ends_as_unavailable() {
    let departments = Departments::start(&["--population", "2000", "--court-delay", "600000"]);
    let changes = [("open_for = \"168h\"", "open_for = \"2s\"")];
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &changes).await;
    let person = departments.divorced_in_court().await.swap_remove(0);
    let reply = gateway.ask("fund", &is_divorced(&person), &[("prefer", "respond-async")]).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let reply = gateway.outcome("fund", reply.id()).await;
    assert_eq!(reply["outcome"], "unavailable", "{reply}");
    let court = reply["witnesses"].as_array().unwrap().iter().find(|witness| witness["source"] == "court").unwrap();
    assert_eq!((&court["answer"], &court["cause"]), (&json!("unavailable"), &json!("timeout")), "{reply}");
    assert!(reply["guidance"].is_object() && reply.get("again").is_none(), "{reply}");
}
