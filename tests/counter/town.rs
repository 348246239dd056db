//! A running demo.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use reqwest::Client;
use serde_json::{Value, json};

use crate::browser::Browser;

pub(crate) struct Town {
    pub(crate) gateway: String,
    control: String,
    user: String,
    password: String,
    samples: Vec<Value>,
    process: Child,
}

impl Drop for Town {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Town {
    /// One of the test's own.
    pub(crate) fn new() -> Self {
        Self::start(&[])
    }

    /// One of the test's own, with these further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        // A file that may not grow is then an error of writing, and not the end of the process.
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_heyan")])
            .args(["demo", "--json", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let account = said["accounts"].as_array().unwrap().iter().find(|one| one["role"] == "committee").unwrap();
        Self {
            gateway: text(&said["gateway"]),
            control: text(&said["control"]),
            user: text(&account["user"]),
            password: text(&account["password"]),
            samples: said["samples"].as_array().unwrap().clone(),
            process,
        }
    }

    /// One for all tests that change nothing in it and count nothing.
    pub(crate) fn shared() -> Arc<Self> {
        static TOWN: Mutex<Weak<Town>> = Mutex::new(Weak::new());
        // A test that failed leaves it as it is.
        let mut town = TOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        town.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::new());
            *town = Arc::downgrade(&new);
            new
        })
    }

    /// The question of a case.
    pub(crate) fn sample(&self, case: &str) -> &Value {
        let found = self.samples.iter().find(|sample| sample["case"] == case);
        &found.unwrap_or_else(|| panic!("the demo has no case {case}"))["request"]
    }

    /// A worker who has signed in.
    pub(crate) async fn worker(&self) -> Browser {
        let mut browser = Browser::new(&self.gateway);
        self.sign_in(&mut browser).await;
        browser
    }

    /// Signs in on the page that the browser shows, or on the one to sign in.
    pub(crate) async fn sign_in(&self, browser: &mut Browser) {
        if !browser.html.contains("name=\"password\"") {
            browser.go("/sign-in").await;
        }
        browser.submit("/sign-in", &[("user", &self.user), ("password", &self.password)]).await;
    }

    /// How many entries the ledger has.
    pub(crate) async fn entries(&self) -> u64 {
        let text = client().get(format!("{}/v1/ledger/checkpoint", self.gateway)).send().await.unwrap();
        text.text().await.unwrap().lines().nth(1).unwrap().parse().unwrap()
    }

    /// No file that it writes may become larger, as on a disk that is full; `None`: as large as it likes.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let process = self.process.id().to_string();
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let limited = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}:unlimited")]).status();
        assert!(limited.unwrap().success());
    }

    /// What a department does from now on.
    pub(crate) async fn fault(&self, source: &str, fault: &str) {
        let body = json!({"source": source, "operation": "*", "fault": fault, "millis": 0}).to_string();
        let reply = client().put(format!("{}/control/faults", self.control)).body(body).send().await.unwrap();
        assert_eq!(reply.status(), 200);
    }

    pub(crate) async fn heal(&self) {
        assert!(
            client().delete(format!("{}/control/faults", self.control)).send().await.unwrap().status().is_success()
        );
    }
}

/// One client for all tests. It keeps no connection, because each test ends with a runtime of its own.
pub(crate) fn client() -> &'static Client {
    static CLIENT: std::sync::OnceLock<Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| {
        heyan::sources::install_crypto();
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
        client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    })
}
