//! A running demo, with a folder of its own if it is to survive a restart.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::Browser;

pub(crate) struct Town {
    folder: PathBuf,
    said: Value,
    process: Child,
}

impl Drop for Town {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Town {
    pub(crate) fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("heyan-console-{}", Uuid::now_v7()));
        fs::create_dir_all(folder.join("overlay/config/agencies")).unwrap();
        let (said, process) = run(&folder);
        Self { folder, said, process }
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// `kill -9`, and a new process over what is left.
    pub(crate) fn restart(&mut self) {
        self.kill();
        (self.said, self.process) = run(&self.folder);
    }

    fn text(&self, key: &str) -> String {
        self.said[key].as_str().unwrap().to_owned()
    }

    pub(crate) fn gateway(&self) -> String {
        self.text("gateway")
    }

    /// Writes a file of the configuration.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.join("overlay").join(path), text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder.join("overlay").join(path)).unwrap();
    }

    /// Somebody of this role who has signed in.
    pub(crate) async fn somebody(&self, role: &str) -> Browser {
        let account = self.said["accounts"].as_array().unwrap().iter().find(|one| one["role"] == role).unwrap();
        let mut browser = Browser::new(&self.gateway());
        browser.go("/sign-in").await;
        let (user, password) = (account["user"].as_str().unwrap(), account["password"].as_str().unwrap());
        browser.send(&[("user", user), ("password", password)]).await;
        browser
    }

    pub(crate) async fn operator(&self) -> Browser {
        let browser = self.somebody("operator").await;
        assert_eq!(browser.path, "/operator", "an operator begins there");
        browser
    }

    /// What a department does from now on.
    pub(crate) async fn fault(&self, source: &str, fault: &str) {
        let body = json!({"source": source, "operation": "*", "fault": fault, "millis": 0}).to_string();
        let reply = client().put(format!("{}/control/faults", self.text("control"))).body(body).send().await.unwrap();
        assert_eq!(reply.status(), 200);
    }

    pub(crate) async fn heal(&self) {
        let reply = client().delete(format!("{}/control/faults", self.text("control"))).send().await.unwrap();
        assert!(reply.status().is_success());
    }

    /// Living people.
    pub(crate) async fn people(&self) -> Vec<Value> {
        let lines = client().get(format!("{}/control/population", self.text("control"))).send().await.unwrap();
        let lines = lines.text().await.unwrap();
        let people = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        people.filter(|one| one["died"].is_null()).collect()
    }

    /// Asks the police alone about somebody: the reply, and its trace.
    pub(crate) async fn ask(&self, person: &Value) -> Value {
        let subject = json!({"name": person["name"], "id_number": person["id_number"]});
        let question = json!({
            "matter": "identity", "claim": "name-matches-id", "purpose": "pension",
            "subjects": {"person": subject}, "parameters": {}
        });
        let request = client().post(format!("{}/v1/verifications", self.gateway())).bearer_auth(self.text("token"));
        let reply = request.header("content-type", "application/json").body(question.to_string()).send().await.unwrap();
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let request = client().get(format!("{}{path}", self.gateway())).bearer_auth(self.text("token"));
        request.send().await.unwrap()
    }

    /// The entries of the ledger that say what was done to the gateway.
    pub(crate) async fn administered(&self) -> Vec<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
        command.args(["ledger", "export", "--data-dir"]).arg(self.folder.join("data"));
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let entry = |line: Value| line.get("entry").cloned().unwrap_or(line);
        lines.map(entry).filter(|entry| entry["kind"] == "administered" && entry["act"] != "sign-in").collect()
    }

    /// No file that it writes may become larger, as on a disk that is full.
    pub(crate) fn fill_disk(&self) {
        let process = self.process.id().to_string();
        let limited = Command::new("prlimit").args(["--pid", &process, "--fsize=0:unlimited"]).status();
        assert!(limited.unwrap().success());
    }
}

fn run(folder: &std::path::Path) -> (Value, Child) {
    // A file that may not grow is then an error of writing, and not the end of the process.
    let mut process = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_heyan")])
        .args(["demo", "--json", "--listen", "127.0.0.1:0", "--population", "400", "--data-dir"])
        .args([&folder.join("data"), &PathBuf::from("--overlay"), &folder.join("overlay")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (serde_json::from_str(&line).unwrap(), process)
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

/// Tries until there is something; a minute and a half is as good as never.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "it was waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
