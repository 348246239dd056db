//! Demos, and what is asked of them.

use std::sync::{Arc, Mutex, Weak};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::client::client;
use super::demo::Demo;
use super::reply::{Reply, send};

impl Demo {
    /// One with these further arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::logging("heyan=info", arguments)
    }

    /// One that logs so much.
    pub(crate) fn logging(level: &str, arguments: &[&str]) -> Self {
        Self::start(|command| {
            command.args(arguments).env("HEYAN_LOG", level);
        })
    }

    /// The one that tests share which do not count calls. It ends with the last of them: nothing that is static is dropped, and
    /// its process would outlive the tests.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Demo>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let demo = Arc::new(Self::with(&["--population", "2000"]));
            *shared = Arc::downgrade(&demo);
            demo
        })
    }

    /// The request of a sample.
    pub(crate) fn sample(&self, case: &str) -> Value {
        let sample = self.list("samples").iter().find(|sample| sample["case"] == case);
        sample.unwrap_or_else(|| panic!("no sample {case}"))["request"].clone()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        client().request(method, format!("{}{path}", self.text("gateway")))
    }

    /// A verification.
    pub(crate) async fn verify(&self, request: &Value) -> Reply {
        self.verify_with(request, &[]).await
    }

    /// A verification with further headers.
    pub(crate) async fn verify_with(&self, request: &Value, headers: &[(&str, &str)]) -> Reply {
        let mut builder = self.request(Method::POST, "/v1/verifications").bearer_auth(self.text("token"));
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        send(builder.header("content-type", "application/json").body(request.to_string())).await
    }

    /// How often each operation has been called.
    pub(crate) async fn calls(&self) -> Value {
        send(client().get(format!("{}/control/calls", self.text("control")))).await.body
    }

    /// Everybody.
    pub(crate) async fn population(&self) -> Vec<Value> {
        let lines = client().get(format!("{}/control/population", self.text("control"))).send().await.unwrap();
        lines.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A request about people of the population.
pub(crate) fn question(claim: &str, people: &[(&str, &Value)], parameters: Option<Value>) -> Value {
    let (matter, claim) = claim.split_once('/').unwrap();
    let mut request = json!({"matter": matter, "claim": claim, "subjects": {}, "purpose": "pension"});
    for (role, person) in people {
        request["subjects"][*role] = json!({"name": person["name"], "id_number": person["id_number"]});
    }
    if let Some(parameters) = parameters {
        request["parameters"] = parameters;
    }
    request
}
