use reqwest::Method;
use serde_json::{Value, json};

use super::demo::Demo;
use super::reply::{Reply, send};

async fn post(body: impl Into<reqwest::Body>, kind: &str) -> Reply {
    let demo = Demo::shared();
    let request = demo.request(Method::POST, "/v1/verifications").bearer_auth(demo.text("token"));
    send(request.header("content-type", kind).body(body)).await
}

async fn post_json(body: &Value) -> Reply {
    post(body.to_string(), "application/json").await
}

fn pointers(reply: &Reply) -> Vec<&str> {
    let mut pointers: Vec<&str> =
        reply.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    pointers
}

fn good() -> Value {
    Demo::shared().sample("健在")
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let nested = "[".repeat(10_000) + &"]".repeat(10_000);
    let duplicate = good().to_string().replacen("\"purpose\"", "\"claim\":\"alive\",\"purpose\"", 1);
    let surrogate = good().to_string().replacen("窗口", "\\ud800", 1);
    let nul = good().to_string().replacen("窗口", "\\u0000", 1);
    for body in ["", "{", "nonsense", &nested, &duplicate, &surrogate, &nul, "{} {}", "[1e999]"] {
        let reply = post(body.to_owned(), "application/json").await;
        assert_eq!((reply.status, &reply.body["code"]), (400, &json!("malformed")), "{}", &body[..body.len().min(40)]);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
    }
    assert_eq!(pointers(&post(duplicate, "application/json").await), ["/claim"]);
}

#[tokio::test]
async fn bodies_have_a_type_and_a_size() {
    for kind in ["text/plain", "application/xml", "application/json; charset=gbk", "application/json5"] {
        assert_eq!(post(good().to_string(), kind).await.status, 415, "{kind}");
    }
    assert_eq!(post(good().to_string(), "application/json; charset=UTF-8").await.status, 200);
    let large = post(" ".repeat(10 * 1024 * 1024), "application/json").await;
    assert_eq!((large.status, &large.body["code"]), (413, &json!("payload-too-large")));
}

#[tokio::test]
async fn every_error_of_a_request_is_told_at_once() {
    let request = json!({
        "matter": "marital-status", "claim": "spouses", "surplus": 1,
        "subjects": {
            "person": {"name": "", "id_number": "11010519491231002Y"},
            "spouse": {"name": 5, "id_number": 11_010_519_491_231_i64, "age": 3},
            "child": {"name": "a", "id_number": "b"}
        },
        "parameters": {"on": "2026-02-29", "off": true},
        "purpose": "no-such-purpose", "case": "", "officer": "a\u{7}b", "max_age": "soon"
    });
    let reply = post_json(&request).await;
    assert_eq!((reply.status, &reply.body["code"]), (422, &json!("invalid-request")));
    assert_eq!(
        pointers(&reply),
        [
            "/case",
            "/max_age",
            "/officer",
            "/parameters/off",
            "/parameters/on",
            "/purpose",
            "/subjects/child",
            "/subjects/person/id_number",
            "/subjects/person/name",
            "/subjects/spouse/age",
            "/subjects/spouse/id_number",
            "/subjects/spouse/name",
            "/surplus"
        ]
    );
    let text = reply.body.to_string();
    for value in ["11010519491231", "no-such-purpose", "2026-02-29", "soon"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[tokio::test]
async fn each_mistake_has_its_place() {
    for (pointer, value, place) in [
        ("/subjects/person/id_number", json!("110105194912310021"), "/subjects/person/id_number"),
        ("/subjects/person/id_number", json!("110105190002290019"), "/subjects/person/id_number"),
        ("/subjects/person/id_number", json!("210102299901011234"), "/subjects/person/id_number"),
        ("/subjects/person/name", json!("张\u{202E}三"), "/subjects/person/name"),
        ("/subjects/person", json!("张三"), "/subjects/person"),
        ("/subjects", json!({}), "/subjects/person"),
        ("/claim", json!("dead-or-alive"), "/claim"),
        ("/matter", json!("none"), "/matter"),
        ("/purpose", json!(1), "/purpose"),
        ("/matter", Value::Null, "/matter"),
    ] {
        let mut request = good();
        *request.pointer_mut(pointer).unwrap() = value;
        let reply = post_json(&request).await;
        assert_eq!(reply.status, 422, "{pointer}");
        assert!(pointers(&reply).contains(&place), "{pointer}: {}", reply.body);
    }
    for body in [json!([]), json!("text"), json!(null), json!({})] {
        assert_eq!(post_json(&body).await.status, 422, "{body}");
    }
}

#[tokio::test]
async fn a_birth_tomorrow_is_refused() {
    let tomorrow = heyan::clock::day_of(jiff::Timestamp::now()).tomorrow().unwrap().tomorrow().unwrap();
    let number = heyan::domain::IdNumber::assemble("210102".parse().unwrap(), tomorrow, 1).unwrap();
    let mut request = good();
    request["subjects"]["person"]["id_number"] = json!(number.reveal());
    let reply = post_json(&request).await;
    assert_eq!((reply.status, pointers(&reply)), (422, vec!["/subjects/person/id_number"]));
}

#[tokio::test]
async fn problems_speak_the_callers_language() {
    let demo = Demo::shared();
    for (language, expected) in [("en", "No valid credential"), ("zh-CN", "没有有效的凭证"), ("fr", "没有有效的凭证")]
    {
        let request = demo.request(Method::POST, "/v1/verifications").header("accept-language", language);
        let reply = send(request.header("content-type", "application/json").body("{}")).await;
        assert_eq!((reply.status, &reply.body["title"]), (401, &json!(expected)));
        assert!(reply.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
}

#[tokio::test]
async fn addresses_and_methods() {
    let demo = Demo::shared();
    assert_eq!(send(demo.request(Method::GET, "/v1/nothing")).await.body["code"], "not-found");
    let reply = send(demo.request(Method::DELETE, "/v1/verifications")).await;
    assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "POST"));
    let show = demo.request(Method::GET, "/v1/verifications/0193f0e0-0000-7000-8000-000000000000");
    assert_eq!(send(show.bearer_auth(demo.text("token"))).await.status, 404);
    assert_eq!(send(demo.request(Method::GET, "/problems/malformed")).await.body["status"], 400);
}

#[tokio::test]
async fn no_value_changes_a_departments_question() {
    let demo = Demo::shared();
    for name in ["O'Neil", "张' or '1'='1", "a-b", "誠'", "縗'", "𠮷野家"] {
        let mut request = good();
        request["subjects"]["person"]["name"] = json!(name);
        let reply = post_json(&request).await;
        // Either no name at all, or asked for safely: then it is simply not the recorded one.
        let outcome = reply.body["outcome"].as_str();
        assert!(reply.status == 422 || outcome == Some("mismatch"), "{name}: {}", reply.body);
    }
    for (field, value) in [("officer", "王'; drop--"), ("case", "<&>\"'%5C\\"), ("legal_basis", "{x}|quoted")] {
        let mut request = good();
        request[field] = json!(value);
        request["max_age"] = json!("0s");
        let reply = demo.verify(&request).await;
        assert_eq!(reply.body["outcome"], "confirmed", "{field}: {}", reply.body);
    }
}
