//! One demo for all tests of this program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// A running demo.
pub(crate) struct Demo {
    pub(crate) gateway: String,
    pub(crate) control: String,
    pub(crate) token: String,
    pub(crate) samples: Vec<Value>,
    /// Everything that it has logged, at every level.
    pub(crate) log: Arc<Mutex<String>>,
    _process: Process,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Demo {
    /// Starts one with these further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_logging("heyan=info", arguments)
    }

    /// Starts one that logs so much.
    pub(crate) fn start_logging(level: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_heyan"))
            .args(["demo", "--json", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("HEYAN_LOG", level)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut errors, sink) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut buffer) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}", log.lock().unwrap()));
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        Self {
            gateway: text("gateway"),
            control: text("control"),
            token: text("token"),
            samples: ready["samples"].as_array().unwrap().clone(),
            log,
            _process: Process(child),
        }
    }

    /// The one that tests share which do not count calls. It ends with the last of them: nothing that is static is dropped, and
    /// its process would outlive the tests.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Demo>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let demo = Arc::new(Self::start(&["--population", "2000"]));
            *shared = Arc::downgrade(&demo);
            demo
        })
    }

    /// The request of a sample.
    pub(crate) fn sample(&self, case: &str) -> Value {
        let sample = self.samples.iter().find(|sample| sample["case"] == case);
        sample.unwrap_or_else(|| panic!("no sample {case}"))["request"].clone()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        client().request(method, format!("{}{path}", self.gateway))
    }

    /// A verification.
    pub(crate) async fn verify(&self, request: &Value) -> Reply {
        self.verify_with(request, &[]).await
    }

    /// A verification with further headers.
    pub(crate) async fn verify_with(&self, request: &Value, headers: &[(&str, &str)]) -> Reply {
        let mut builder = self.request(Method::POST, "/v1/verifications").bearer_auth(&self.token);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        send(builder.header("content-type", "application/json").body(request.to_string())).await
    }

    /// How often each operation has been called.
    pub(crate) async fn calls(&self) -> Value {
        send(client().get(format!("{}/control/calls", self.control))).await.body
    }

    /// Everybody.
    pub(crate) async fn population(&self) -> Vec<Value> {
        let lines = client().get(format!("{}/control/population", self.control)).send().await.unwrap();
        lines.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// One client for all tests. It keeps no connection, because each test ends with a runtime of its own.
pub(crate) fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        heyan::sources::install_crypto();
        Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
    })
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap();
    Reply { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
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
