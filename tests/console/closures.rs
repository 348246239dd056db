//! What a closure by hand does to questions that can wait.

use heyan::domain::TokenHash;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::client::client;
use crate::town::Town;
use crate::until::until;

async fn send(request: RequestBuilder) -> (u16, Value) {
    let reply = request.bearer_auth("patient").send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_patient_question_waits_until_the_department_is_opened() {
    let agency = format!(
        "[[agencies]]\nid = \"patient\"\nname = \"甲\"\ntokens = [\"{}\"]\n\n\
         [[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\nkeep = true\n",
        TokenHash::of("patient")
    );
    let hasty = include_str!("../../config/heyan.toml").replacen("again_after = \"30s\"", "again_after = \"1s\"", 1);
    let town = Town::with(&[("config/agencies/patient.toml", &agency), ("config/heyan.toml", &hasty)]);
    let person = town.people().await.swap_remove(0);
    let mut operator = town.operator().await;
    operator.go("/operator/departments/police/close").await;
    operator.act(&[("term", "open"), ("reason", "升级")]).await;

    let subject = json!({"name": person["name"], "id_number": person["id_number"]});
    let question = json!({
        "matter": "identity", "claim": "name-matches-id", "purpose": "pension",
        "subjects": {"person": subject}, "parameters": {}
    });
    let gateway = town.demo.text("gateway");
    let request = client().post(format!("{gateway}/v1/verifications")).header("prefer", "respond-async");
    let (status, kept) = send(request.header("content-type", "application/json").body(question.to_string())).await;
    assert_eq!((status, &kept["outcome"]), (202, &json!("pending")), "{kept}");
    let state =
        async || send(client().get(format!("{gateway}/v1/verifications/{}", kept["id"].as_str().unwrap()))).await;
    // It is tried again in vain, without a call, and waits on.
    until("it is asked again", async || {
        let (status, now) = state().await;
        assert_eq!(status, 202, "{now}");
        (!now["again"].is_null() && now["again"] != kept["again"]).then_some(())
    })
    .await;
    assert_eq!(town.calls("police", "person").await, 0, "whoever is closed is not called");
    operator.go("/operator").await;
    assert!(operator.text().contains("已手工关闭"), "{}", operator.text());

    operator.go("/operator/departments/police/open").await;
    operator.act(&[("reason", "升级完成")]).await;
    let answered = until("it is answered", async || {
        let (status, now) = state().await;
        (status == 200).then_some(now)
    })
    .await;
    assert_eq!(answered["outcome"], "confirmed", "{answered}");
    assert_eq!(town.calls("police", "person").await, 1);
}
