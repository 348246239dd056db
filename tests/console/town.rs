//! A demo with a folder of its own, so that it survives a restart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::client;
use crate::demo::Demo;
use crate::tab::Tab;

pub(crate) struct Town {
    folder: PathBuf,
    pub(crate) demo: Demo,
}

impl Drop for Town {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Town {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// One with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("heyan-console-{}", Uuid::now_v7()));
        fs::create_dir_all(folder.join("overlay/config/agencies")).unwrap();
        for (path, text) in files {
            fs::write(folder.join("overlay").join(path), text).unwrap();
        }
        let demo = run(&folder);
        Self { folder, demo }
    }

    /// `kill -9`, and a new process over what is left.
    pub(crate) fn restart(&mut self) {
        // It may have ended by itself.
        let _ = self.demo.process.kill();
        let _ = self.demo.process.wait();
        self.demo = run(&self.folder);
    }

    /// Writes a file of the configuration.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.join("overlay").join(path), text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder.join("overlay").join(path)).unwrap();
    }

    /// Somebody of this role who has signed in.
    pub(crate) async fn somebody(&self, role: &str) -> Tab {
        let mut tab = Tab::new(&self.demo.text("gateway"));
        self.demo.sign_in(&mut tab, role).await;
        tab
    }

    pub(crate) async fn operator(&self) -> Tab {
        let tab = self.somebody("operator").await;
        assert_eq!(tab.path, "/operator", "an operator begins there");
        tab
    }

    /// Living people.
    pub(crate) async fn people(&self) -> Vec<Value> {
        let lines = client().get(format!("{}/control/population", self.demo.text("control"))).send().await.unwrap();
        let lines = lines.text().await.unwrap();
        let people = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        people.filter(|one| one["died"].is_null()).collect()
    }

    /// How often an operation was called.
    pub(crate) async fn calls(&self, source: &str, operation: &str) -> u64 {
        let calls = client().get(format!("{}/control/calls", self.demo.text("control"))).send().await.unwrap();
        let calls: Value = serde_json::from_str(&calls.text().await.unwrap()).unwrap();
        calls[source][operation].as_u64().unwrap_or_default()
    }

    /// Asks the police alone about somebody: the reply, and its trace.
    pub(crate) async fn ask(&self, person: &Value) -> Value {
        let subject = json!({"name": person["name"], "id_number": person["id_number"]});
        let question = json!({
            "matter": "identity", "claim": "name-matches-id", "purpose": "pension",
            "subjects": {"person": subject}, "parameters": {}
        });
        let request = client()
            .post(format!("{}/v1/verifications", self.demo.text("gateway")))
            .bearer_auth(self.demo.text("token"));
        let reply = request.header("content-type", "application/json").body(question.to_string()).send().await.unwrap();
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let request = client().get(format!("{}{path}", self.demo.text("gateway"))).bearer_auth(self.demo.text("token"));
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
}

fn run(folder: &Path) -> Demo {
    Demo::start(|command| {
        command.args(["--population", "400", "--data-dir"]).arg(folder.join("data"));
        command.arg("--overlay").arg(folder.join("overlay"));
    })
}
