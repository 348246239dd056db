use reqwest::Method;
use serde_json::{Value, json};

use super::demo::Demo;
use super::reply::send;

#[tokio::test]
async fn the_catalog_is_public_and_cacheable() {
    let demo = Demo::shared();
    let all = send(demo.request(Method::GET, "/v1/matters")).await;
    let matters = all.body["matters"].as_array().unwrap();
    assert_eq!(matters.len(), 20);
    assert_eq!(matters[19]["documents"].as_array().unwrap().len(), 19);
    let tag = all.headers["etag"].clone();
    let unchanged = send(demo.request(Method::GET, "/v1/matters").header("if-none-match", tag)).await;
    assert_eq!(unchanged.status, 304);
    let one = send(demo.request(Method::GET, "/v1/matters/marital-status")).await;
    assert_eq!(one.body["name"], "婚姻状况证明");
    assert_eq!(one.body["bracketed"], json!(["婚姻关系证明", "分居证明"]));
    assert_eq!(send(demo.request(Method::GET, "/v1/matters/none")).await.status, 404);
}

#[tokio::test]
async fn triage_finds_the_matter_and_what_committees_still_issue() {
    let demo = Demo::shared();
    let triage = async |text: &str| {
        let request = demo.request(Method::POST, "/v1/triage").header("content-type", "application/json");
        send(request.body(json!({"text": text}).to_string())).await.body
    };
    let found = triage("银行非要我开个证明证明我妈是我妈").await;
    assert_eq!((&found["decision"], &found["matters"][0]["id"]), (&json!("prohibited"), &json!("kinship")));
    let retained = triage("打官司要社区推荐信").await;
    assert_eq!(retained["decision"], "retained");
    assert!(retained["retained"]["legal_basis"].as_str().unwrap().contains("第六十一条"));
    let nothing = triage("今天天气怎么样").await;
    assert_eq!((&nothing["decision"], &nothing["matters"]), (&json!("no-basis"), &json!([])));
}

#[tokio::test]
async fn callers_see_themselves_and_the_sources() {
    let demo = Demo::shared();
    let me = send(demo.request(Method::GET, "/v1/me").bearer_auth(demo.text("token"))).await;
    assert_eq!(me.body["grants"][0]["claims"], json!(["*"]));
    let sources = send(demo.request(Method::GET, "/v1/sources").bearer_auth(demo.text("token"))).await.body;
    let state = |id: &str| {
        let source = sources["sources"].as_array().unwrap().iter().find(|source| source["id"] == id);
        source.unwrap()["state"].clone()
    };
    assert_ne!(state("police"), "not-connected");
    assert_eq!(state("real-estate"), "not-connected");
    assert!(!sources.to_string().contains("127.0.0.1"));
    for path in ["/v1/me", "/v1/sources"] {
        assert_eq!(send(demo.request(Method::GET, path)).await.status, 401);
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(send(demo.request(Method::GET, path)).await.body, json!({"status": "ok"}));
    }
}

/// The document that is served, and the file that others read, say the same.
#[tokio::test]
async fn the_openapi_document_is_the_one_in_schemas() {
    let demo = Demo::shared();
    let served = send(demo.request(Method::GET, "/openapi.json")).await.body;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/openapi.json");
    let text = serde_json::to_string_pretty(&served).unwrap() + "\n";
    if std::env::var_os("HEYAN_REGENERATE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(file == served, "schemas/openapi.json has drifted; HEYAN_REGENERATE=1 tests/run writes it anew");
}
