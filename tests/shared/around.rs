//! What happens around a demo: somebody signs in, a department fails, the disk is full.

use std::process::Command;

use serde_json::json;

use super::client::client;
use super::demo::Demo;
use super::tab::Tab;

impl Demo {
    /// Somebody of this role signs in on the page that is shown, or on the one to sign in.
    pub(crate) async fn sign_in(&self, tab: &mut Tab, role: &str) {
        let account = self.list("accounts").iter().find(|one| one["role"] == role).unwrap();
        if !tab.page.text.contains("name=\"password\"") {
            tab.go("/sign-in").await;
        }
        let (user, password) = (account["user"].as_str().unwrap(), account["password"].as_str().unwrap());
        tab.submit("/sign-in", &[("user", user), ("password", password)]).await;
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

    /// No file that it writes may become larger, as on a disk that is full; `None`: as large as it likes.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let process = self.process.id().to_string();
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let limited = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}:unlimited")]).status();
        assert!(limited.unwrap().success());
    }
}
