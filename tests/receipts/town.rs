//! A demo that keeps its keys in a folder, and what tests do with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use heyan::clock::{Clock as _, SystemClock};
use heyan::domain::{AgencyId, Outcome, Person};
use heyan::keys::Keys;
use heyan::receipt::{Issuer, Said};
use jiff::{SignedDuration, Timestamp};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::client;
use super::demo::Demo;
use super::reply::send;

/// A folder that goes away with the test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("heyan-receipts-{}", Uuid::now_v7())))
    }

    /// The folder of the keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// What the gateway of this folder would issue now.
    pub(crate) fn receipt(&self) -> String {
        receipt(&self.open(), SystemClock.now())
    }

    pub(crate) fn open(&self) -> Keys {
        Keys::open_or_make(&self.keys(), None, SystemClock.now()).unwrap()
    }

    /// A file of it.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A receipt about somebody invented, valid for a day.
pub(crate) fn receipt(keys: &Keys, issued: Timestamp) -> String {
    let day = Duration::from_hours(24);
    let issuer = Issuer::new(Arc::clone(keys.receipt()), Arc::clone(keys.subject()), "heyan", day);
    let person = Person { id_number: "210102198001010010".parse().unwrap(), name: Some("王小明".parse().unwrap()) };
    let said = Said {
        verification: Uuid::from_u128(7),
        agency: &AgencyId("housing-fund".parse().unwrap()),
        purpose: &"housing-fund-withdrawal".parse().unwrap(),
        claim: &"marital-status/status-is".parse().unwrap(),
        particulars: &[("status".to_owned(), "married".into())].into_iter().collect(),
        outcome: Outcome::Confirmed,
        as_of: issued,
        subjects: &[("person", &person)],
        ledger: None,
        rules: &"sha256:00".into(),
    };
    issuer.issue(&said, issued).unwrap()
}

pub(crate) fn hours_ago(hours: i64) -> Timestamp {
    SystemClock.now() - SignedDuration::from_hours(hours)
}

/// A demo that keeps its keys in this folder.
pub(crate) fn start(data: &Path, more: &[&str]) -> Demo {
    Demo::start(|command| {
        command.args(["--population", "100", "--data-dir"]).arg(data).args(more);
    })
}

impl Demo {
    /// What the gateway answers to the sample whose outcome this is.
    pub(crate) async fn ask(&self, outcome: &str) -> Value {
        let sample = self.list("samples").iter().find(|sample| sample["outcome"] == outcome).unwrap();
        self.answer(sample, if outcome == "pending" { "wait=0" } else { "wait=30" }).await
    }

    /// What the gateway answers to the sample of this case.
    pub(crate) async fn sample(&self, case: &str) -> Value {
        let sample = self.list("samples").iter().find(|sample| sample["case"] == case).unwrap();
        self.answer(sample, "wait=30").await
    }

    async fn answer(&self, sample: &Value, wait: &str) -> Value {
        let request =
            client().post(format!("{}/v1/verifications", self.text("gateway"))).bearer_auth(self.text("token"));
        let request = request.header("content-type", "application/json");
        send(request.header("prefer", wait).body(sample["request"].to_string())).await.body
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        client().get(format!("{}{path}", self.text("gateway")))
    }

    pub(crate) fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = client().post(format!("{}/v1/receipts/check", self.text("gateway")));
        request.header("content-type", "application/json").body(body)
    }

    pub(crate) fn post_to(&self, path: &str) -> RequestBuilder {
        client().post(format!("{}{path}", self.text("gateway")))
    }

    /// The variables that examples of calls name.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        [("HEYAN", self.text("gateway")), ("HEYAN_TOKEN", self.text("token"))]
    }

    /// What the gateway says of a text.
    pub(crate) async fn check(&self, text: &str) -> Value {
        let reply = send(self.post(json!({"receipt": text}).to_string())).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    /// What the gateway says of a short code.
    pub(crate) async fn check_code(&self, code: &str) -> Value {
        let reply = send(self.post(json!({"code": code}).to_string())).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    /// Why it is not valid.
    pub(crate) async fn reason(&self, text: &str) -> String {
        let body = self.check(text).await;
        assert_eq!(body["valid"], false, "{body}");
        body["reason"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn keys(&self) -> Vec<Value> {
        send(self.get("/.well-known/jwks.json")).await.body["keys"].as_array().unwrap().clone()
    }
}

/// A reply that is no JSON: its status, its fields, its text.
pub(crate) async fn send_text(request: RequestBuilder) -> (u16, reqwest::header::HeaderMap, String) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.text().await.unwrap())
}

/// Runs the program: its exit code, what it has said, and what it has said of errors.
pub(crate) fn heyan(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_heyan"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read its input has none.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    let output = process.wait_with_output().unwrap();
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), said, errors)
}

/// Runs the program, which does what it is told.
pub(crate) fn done(arguments: &[&str]) -> String {
    let (code, said, errors) = heyan(arguments, "");
    assert_eq!(code, Some(0), "{said}{errors}");
    said
}
