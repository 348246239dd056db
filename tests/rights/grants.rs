//! What is granted, when, and to questions that name what.

use jiff::{Timestamp, ToSpan as _};
use reqwest::Method;
use serde_json::{Value, json};

use super::town::{Departments, Gateway, Reply, is_named, question, send};
use super::{agency, everything};

fn is_refused(reply: &Reply, pointers: &[&str]) {
    assert_eq!((reply.status, &reply.body["code"]), (403, &json!("not-granted")), "{reply:?}");
    assert_eq!((&reply.body["origin"], &reply.body["retryable"]), (&json!("client"), &json!(false)));
    let told: Vec<&str> =
        reply.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(told, pointers, "{reply:?}");
}

#[tokio::test]
async fn a_grant_holds_for_its_claims_purposes_and_days() {
    let departments = Departments::start(&["--population", "200"]);
    // Days around today, whatever day it becomes while this runs.
    let day = |days: i64| heyan::clock::day_of(Timestamp::now() + (days * 24).hours()).to_string();
    let agencies = [
        agency("now", &[&everything(&format!("valid_from = \"{}\"\nvalid_until = \"{}\"", day(-2), day(2)))]),
        agency("over", &[&everything(&format!("valid_until = \"{}\"", day(-2)))]),
        agency("later", &[&everything(&format!("valid_from = \"{}\"", day(2)))]),
        agency("narrow", &["claims = [\"identity/name-matches-id\"]\npurposes = [\"passport\"]"]),
        agency("none", &[]),
    ];
    let gateway = Gateway::started(&departments, &agencies, &[]).await;
    let person = departments.living().await.swap_remove(0);
    let named = is_named(&person);
    assert_eq!(gateway.ask("now", &named, &[]).await.status, 200);
    for agency in ["over", "later", "narrow", "none"] {
        let reply = gateway.ask(agency, &named, &[("accept-language", "en")]).await;
        is_refused(&reply, &[]);
        let speaks_of_days = reply.body["detail"].as_str().unwrap().contains("not valid today");
        assert_eq!(speaks_of_days, agency == "over" || agency == "later", "{reply:?}");
        // Nothing of what others have.
        for word in ["now", "passport", "agencies", "2026", "fund"] {
            assert!(!reply.body["detail"].as_str().unwrap().contains(word), "{reply:?}");
        }
    }
    let mut passport = named.clone();
    passport["purpose"] = json!("passport");
    assert_eq!(gateway.ask("narrow", &passport, &[]).await.status, 200);
    let alive = question("alive/alive", &person, &json!({}));
    is_refused(&gateway.ask("narrow", &alive, &[]).await, &[]);
    // One who may not ask is told the same about somebody who is nobody.
    let nobody = json!({"name": "查无此人", "id_number": "110105194912310038"});
    let of = async |person: &Value| {
        let mut reply = gateway.ask("none", &is_named(person), &[]).await;
        reply.body["request_id"].take();
        reply.body["trace_id"].take();
        reply.body
    };
    assert_eq!(of(&person).await, of(&nobody).await);
    assert_eq!(departments.calls("police", "person").await, 1, "who may not ask asks nobody");
}

#[tokio::test]
async fn a_grant_demands_particulars() {
    let departments = Departments::start(&["--population", "200"]);
    let strict = everything("demands = [\"officer\", \"case\", \"legal-basis\"]");
    let agencies = [
        agency("strict", &[&strict]),
        agency("either", &[&strict, "claims = [\"alive/*\"]\npurposes = [\"*\"]\ndemands = [\"case\"]"]),
    ];
    let gateway = Gateway::started(&departments, &agencies, &[]).await;
    let person = departments.living().await.swap_remove(0);
    let named = is_named(&person);
    is_refused(&gateway.ask("strict", &named, &[]).await, &["/officer", "/case", "/legal_basis"]);
    let with = |question: &Value, fields: &[&str]| {
        let mut question = question.clone();
        for field in fields {
            question[*field] = json!("甲-1");
        }
        question
    };
    is_refused(&gateway.ask("strict", &with(&named, &["case"]), &[]).await, &["/officer", "/legal_basis"]);
    assert_eq!(gateway.ask("strict", &with(&named, &["officer", "case", "legal_basis"]), &[]).await.status, 200);
    let mut blank = with(&named, &["case", "legal_basis"]);
    blank["officer"] = json!(" ");
    assert_eq!(gateway.ask("strict", &blank, &[]).await.status, 422, "a blank names nobody");
    // The least that would do is what is missing.
    let alive = question("alive/alive", &person, &json!({}));
    is_refused(&gateway.ask("either", &alive, &[]).await, &["/case"]);
    assert_eq!(gateway.ask("either", &with(&alive, &["case"]), &[]).await.status, 200);
    // Nobody's number is written down, and it does not come back.
    let mut personal = with(&named, &["officer", "case", "legal_basis"]);
    personal["case"] = json!(format!("案 {}", person["id_number"].as_str().unwrap()));
    let reply = gateway.ask("strict", &personal, &[]).await;
    assert_eq!((reply.status, &reply.body["errors"][0]["pointer"]), (422, &json!("/case")), "{reply:?}");
    assert!(!reply.body.to_string().contains(person["id_number"].as_str().unwrap()));
    let me = send(gateway.request(Method::GET, "/v1/me", "either")).await.body;
    assert_eq!(me["grants"][0]["demands"], json!(["officer", "case", "legal-basis"]), "{me}");
    assert_eq!(me["grants"][1]["demands"], json!(["case"]));
}

#[tokio::test]
async fn a_verification_is_its_agencys_alone() {
    let departments = Departments::start(&["--population", "200"]);
    let agencies = [agency("fund", &[&everything("")]), agency("bank", &[&everything("")])];
    let gateway = Gateway::started(&departments, &agencies, &[]).await;
    let person = departments.living().await.swap_remove(0);
    let reply = gateway.ask("fund", &is_named(&person), &[]).await;
    assert_eq!(gateway.show("fund", reply.id()).await.status, 200);
    let strip = |mut reply: Reply| {
        reply.body["request_id"].take();
        reply.body["trace_id"].take();
        (reply.status, reply.body)
    };
    let others = strip(gateway.show("bank", reply.id()).await);
    assert_eq!(others.0, 404);
    let nothing = strip(gateway.show("bank", "01936b1e-0000-7000-8000-000000000000").await);
    assert_eq!(others, nothing, "what is another's looks like what is not");
}
