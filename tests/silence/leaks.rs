//! What a reply gives away besides its answer, as SECURITY.md says it.

use serde_json::Value;

use super::town::{Departments, Gateway, agency, client, is_named};

/// Whether each of two agencies, one after the other, is told that the answer was there already.
async fn cached_for_both(gateway: &Gateway, person: &Value) -> [Value; 2] {
    let mut told = [Value::Null, Value::Null];
    for (told, agency) in told.iter_mut().zip(["fund", "bank"]) {
        let reply = gateway.ask(agency, &is_named(person), &[]).await;
        assert_eq!(reply.body["outcome"], "confirmed", "{reply:?}");
        *told = reply.body["witnesses"][0]["cached"].clone();
    }
    told
}

#[tokio::test]
async fn an_agency_sees_that_somebody_has_asked_lately_unless_nothing_is_remembered() {
    let departments = Departments::start(&["--population", "300"]);
    let agencies = [agency("fund", true, ""), agency("bank", true, "")];
    let gateway = Gateway::started(&departments, &agencies, &[]).await;
    let person = departments.living().await.swap_remove(0);
    assert_eq!(cached_for_both(&gateway, &person).await, [false, true]);
    // Who wants to see nothing of others asks anew; that it has done so itself is seen all the same.
    let mut anew = is_named(&person);
    anew["max_age"] = "0s".into();
    assert_eq!(gateway.ask("bank", &anew, &[]).await.body["witnesses"][0]["cached"], false);
    assert_eq!(gateway.ask("fund", &is_named(&person), &[]).await.body["witnesses"][0]["cached"], true);

    let police = include_str!("../../config/sources/police.toml");
    let forgetful = police.replace("found = \"10m\", no_record = \"1m\"", "found = \"0s\", no_record = \"0s\"");
    assert_ne!(forgetful, police);
    gateway.write("config/sources/police.toml", &forgetful);
    assert_eq!(gateway.reload().await.0, Some(0));
    assert_eq!(cached_for_both(&gateway, &person).await, [false, false]);
}

#[tokio::test]
async fn a_token_in_an_address_opens_nothing() {
    let departments = Departments::start(&["--population", "200"]);
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let status = async |path: &str, token: Option<&str>| {
        let mut request = client().get(format!("http://{}{path}", gateway.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("/v1/me", Some("fund")).await, 200);
    assert_eq!(status("/v1/me?access_token=fund", None).await, 401);
}
