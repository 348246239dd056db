//! Departments and a gateway, each a process, and what tests do with them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use heyan::domain::TokenHash;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

#[path = "../shared/client.rs"]
mod client;
#[path = "../shared/log.rs"]
mod log;
#[path = "../shared/reply.rs"]
mod reply;
#[path = "../shared/until.rs"]
mod until;

pub(crate) use client::client;
use log::Log;
pub(crate) use reply::{Reply, send};
pub(crate) use until::until;

/// Where the gateway of a test is, before and after it runs.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Running departments.
pub(crate) struct Departments {
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) control: String,
    process: Child,
}

impl Drop for Departments {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn end(process: &mut Child) {
    // It may have ended by itself.
    let _ = process.kill();
    let _ = process.wait();
}

impl Departments {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_heyan"))
            .args(["simulate", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().take(5);
        let pair =
            |line: String| line.split_once(' ').map(|(name, at)| (name.to_owned(), at.trim().to_owned())).unwrap();
        let mut sources: Vec<(String, String)> = lines.map(|line| pair(line.unwrap())).collect();
        let control = sources.pop().unwrap().1;
        Self { sources, control, process }
    }

    pub(crate) async fn fault(&self, source: &str, operation: &str, fault: &str, millis: u64) {
        let body = json!({"source": source, "operation": operation, "fault": fault, "millis": millis}).to_string();
        assert_eq!(send(client().put(format!("{}/control/faults", self.control)).body(body)).await.status, 200);
    }

    pub(crate) async fn heal(&self) {
        send(client().delete(format!("{}/control/faults", self.control))).await;
    }

    pub(crate) async fn calls(&self, source: &str, operation: &str) -> u64 {
        let calls = send(client().get(format!("{}/control/calls", self.control))).await.body;
        calls[source][operation].as_u64().unwrap()
    }

    pub(crate) async fn population(&self) -> Vec<Value> {
        let lines = client().get(format!("{}/control/population", self.control)).send().await.unwrap();
        lines.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Living people, in whose marriages, if any, nothing has happened that some department does not know.
    pub(crate) async fn living(&self) -> Vec<Value> {
        let people = self.population().await.into_iter();
        people.filter(|one| one["died"].is_null() && one["unknown_to"] == json!({})).collect()
    }

    /// Living people whose last marriage a court has ended: about them it keeps judgments.
    pub(crate) async fn divorced_in_court(&self) -> Vec<Value> {
        let is_so = |person: &Value| {
            let last = person["marriages"].as_array().unwrap().last();
            person["died"].is_null() && last.is_some_and(|last| last["ended_by"] == "court")
        };
        self.population().await.into_iter().filter(is_so).collect()
    }
}

/// A gateway: its folder, and the process if it runs.
pub(crate) struct Gateway {
    folder: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) address: String,
    pub(crate) process: Option<Child>,
    /// What it has logged.
    pub(crate) log: Log,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}", self.log.text());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Gateway {
    /// One before these departments, with these agencies, and these changes of its file.
    pub(crate) fn new(departments: &Departments, agencies: &[String], changes: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("heyan-days-{}", Uuid::now_v7()));
        let mut environment: Vec<(String, String)> = Vec::new();
        for (source, address) in &departments.sources {
            let name = format!("HEYAN_{}", source.to_uppercase().replace('-', "_"));
            environment.push((format!("{name}_ADDRESS"), address.clone()));
            environment.push((format!("{name}_EVENTS_TOKEN"), format!("demo-{source}-events")));
        }
        let secrets = [
            ("HEYAN_POLICE_SECRET", "demo-police-secret"),
            ("HEYAN_CIVIL_AFFAIRS_FIRST_KEY", "demo-civil-first-key"),
            ("HEYAN_HEALTH_TOKEN", "demo-health-token"),
            ("HEYAN_COURT_SECRET", "demo-court-secret"),
            ("HEYAN_STORE_KEY", KEY),
            ("FUND_SECRET", SECRET),
        ];
        environment.extend(secrets.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let gateway = Self { folder, environment, address: free_address(), process: None, log: Log::default() };
        let mut file = include_str!("../../config/heyan.toml").to_owned();
        for (before, after) in changes {
            assert!(file.contains(before), "{before}");
            file = file.replacen(before, after, 1);
        }
        gateway.write("config/heyan.toml", &file);
        gateway.write("config/agencies/all.toml", &agencies.concat());
        gateway
    }

    /// A running one.
    pub(crate) async fn started(departments: &Departments, agencies: &[String], changes: &[(&str, &str)]) -> Self {
        let mut gateway = Self::new(departments, agencies, changes);
        gateway.start().await;
        gateway
    }

    /// Where it keeps what must survive.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Writes a file of its configuration.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.join("overlay").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The police may take longer than they usually do.
    pub(crate) fn be_patient_with_police(&self) {
        let police = include_str!("../../config/sources/police.toml");
        let patient = "response_timeout = \"20s\"\ndeadline = \"20s\"";
        self.write("config/sources/police.toml", &police.replacen("response_timeout = \"2s\"", patient, 1));
    }

    fn command(&self, more: &[&str]) -> Command {
        // A file that may not grow is then an error of writing, and not the end of the process.
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_heyan")])
            .args(["serve", "--config", concat!(env!("CARGO_MANIFEST_DIR"), "/config/heyan.toml")])
            .args(["--listen", &self.address, "--overlay"])
            .args([&self.folder.join("overlay"), &PathBuf::from("--data-dir"), &self.data()])
            .args(more)
            .envs(self.environment.iter().cloned())
            .stderr(Stdio::piped());
        command
    }

    /// Why it does not start.
    pub(crate) async fn refused(&self, more: &[&str]) -> String {
        let mut command = self.command(more);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs the program with these words and the folder of what must survive; what it prints, if it is content.
    pub(crate) async fn heyan(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
        command.args(arguments).arg("--data-dir").arg(self.data());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = piped.spawn().unwrap();
        // It may have ended without reading.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        let output = tokio::task::spawn_blocking(move || process.wait_with_output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn start(&mut self) {
        self.start_with(&[]).await;
    }

    pub(crate) async fn start_with(&mut self, more: &[&str]) {
        let process = self.command(more).stderr(self.log.of_process()).spawn().unwrap();
        let ready = async || {
            let reply = self.request(Method::GET, "/readyz", "").send().await;
            reply.is_ok_and(|reply| reply.status() == 200).then_some(())
        };
        until("the gateway is ready", ready).await;
        self.process = Some(process);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            end(&mut process);
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &process]).status().unwrap().success());
    }

    /// No file that it writes may become larger, as on a disk that is full; `None`: as large as it likes.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let process = self.process.as_ref().unwrap().id().to_string();
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let limited = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}:unlimited")]).status();
        assert!(limited.unwrap().success());
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().unwrap();
        until("the gateway has ended", async || process.try_wait().unwrap()).await
    }

    /// `heyan reload`: its exit code and what it has said.
    pub(crate) async fn reload(&self) -> (Option<i32>, String) {
        let data = self.data();
        let run = move || Command::new(env!("CARGO_BIN_EXE_heyan")).arg("reload").arg("--data-dir").arg(data).output();
        let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), said)
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        client().request(method, format!("http://{}{path}", self.address)).bearer_auth(token)
    }

    pub(crate) fn post(&self, token: &str, question: &Value, headers: &[(&str, &str)]) -> RequestBuilder {
        let mut request = self.request(Method::POST, "/v1/verifications", token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.header("content-type", "application/json").body(question.to_string())
    }

    pub(crate) async fn ask(&self, token: &str, question: &Value, headers: &[(&str, &str)]) -> Reply {
        send(self.post(token, question, headers)).await
    }

    pub(crate) async fn show(&self, token: &str, id: &str) -> Reply {
        send(self.request(Method::GET, &format!("/v1/verifications/{id}"), token)).await
    }

    /// The reply once it is not pending any more. Every reply until then is.
    pub(crate) async fn outcome(&self, token: &str, id: &str) -> Value {
        let ask = async || {
            let reply = self.show(token, id).await;
            assert!(reply.status == 200 || reply.status == 202, "{id}: {} {}", reply.status, reply.body);
            (reply.status == 200).then_some(reply.body)
        };
        until("a question is answered", ask).await
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// An agency whose token is its id, with these further lines.
pub(crate) fn agency(id: &str, keep: bool, lines: &str) -> String {
    format!(
        "[[agencies]]\nid = \"{id}\"\nname = \"甲\"\ntokens = [\"{}\"]\n{lines}\n\
         [[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\nkeep = {keep}\n\n",
        TokenHash::of(id)
    )
}

/// A question about one person.
pub(crate) fn question(claim: &str, person: &Value, parameters: &Value) -> Value {
    let (matter, claim) = claim.split_once('/').unwrap();
    let person = json!({"name": person["name"], "id_number": person["id_number"]});
    json!({"matter": matter, "claim": claim, "subjects": {"person": person}, "purpose": "pension", "parameters": parameters})
}

/// A question that the court's archive has to be asked for.
pub(crate) fn is_divorced(person: &Value) -> Value {
    question("marital-status/status-is", person, &json!({"status": "divorced"}))
}

/// A question to the police alone.
pub(crate) fn is_named(person: &Value) -> Value {
    question("identity/name-matches-id", person, &json!({}))
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What signs callbacks.
pub(crate) const SECRET: &str = "a secret that the fund and the gateway know";
