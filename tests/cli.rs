//! The program as it is called: what it says, and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use uuid::Uuid;

fn heyan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.args(arguments).env_remove("HEYAN_TOKEN").env_remove("HEYAN_GATEWAY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    said(heyan(arguments).output().unwrap())
}

fn said(output: Output) -> (Option<i32>, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// A file that goes away with the test.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("heyan-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A command that says with its first line that it is ready.
fn first_line(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}

#[test]
fn a_signal_right_after_the_first_line_ends_well() {
    for arguments in [
        &["demo", "--json", "--listen", "127.0.0.1:0", "--population", "100"][..],
        &["simulate", "--port", "0", "--population", "100"],
    ] {
        let (child, line) = first_line(heyan(arguments));
        assert!(!line.is_empty());
        terminate(&child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_used_wrongly_is_2_and_what_cannot_be_done_is_3() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port().to_string();
    let taken = format!("127.0.0.1:{taken_port}");
    let request = Scratch::new("request.json", "{}");
    let token = Scratch::new("token", "heyan_x");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config/heyan.toml");
    let verify = |gateway: &str| run(&["verify", request.path(), "--token-file", token.path(), "--gateway", gateway]);
    let serve = |more: &[&str]| {
        let arguments = [&["serve", "--config", config], more].concat();
        said(with_secrets(heyan(&arguments)).output().unwrap())
    };
    for (done, code, expected) in [
        (run(&["verify", request.path()]), 2, "HEYAN_TOKEN"),
        (run(&["verify", "/nowhere.json", "--token-file", token.path()]), 2, "cannot read /nowhere.json"),
        (run(&["verify", request.path(), "--token-file", "/nowhere"]), 2, "cannot read /nowhere"),
        (verify("nonsense"), 2, "http://"),
        (verify("ftp://127.0.0.1"), 2, "http://"),
        (verify(&nobody), 3, "cannot be reached"),
        (run(&["check", "--config", "/nowhere.toml"]), 2, "/nowhere.toml"),
        (run(&["check", "--no-such-option"]), 2, "--no-such-option"),
        (run(&["demo", "--population", "100", "--listen", &taken]), 3, &taken),
        (run(&["simulate", "--population", "100", "--port", &taken_port]), 3, &format!("port {taken_port}")),
        (serve(&["--listen", &taken, "--in-memory"]), 3, &taken),
        (serve(&["--listen", &taken]), 2, "who asked what: name a folder"),
        (serve(&["--in-memory", "--data-dir", "/nowhere"]), 2, "--in-memory"),
        (run(&["triage", "今天天气怎么样"]), 1, ""),
        (run(&["triage", "单身证明"]), 0, "marital-status"),
    ] {
        assert!(done.0 == Some(code) && done.1.contains(expected), "{code} {expected}: {done:?}");
    }
}

fn with_secrets(mut command: Command) -> Command {
    let secrets = ["POLICE_SECRET", "CIVIL_AFFAIRS_FIRST_KEY", "HEALTH_TOKEN", "COURT_SECRET"].map(str::to_owned);
    let event_tokens = ["POLICE", "CIVIL_AFFAIRS", "HEALTH", "COURT"].map(|source| format!("{source}_EVENTS_TOKEN"));
    for name in secrets.iter().chain(&event_tokens) {
        command.env(format!("HEYAN_{name}"), "secret");
    }
    command
}

/// What a demo keeps is its own and goes with it; what a killed one left goes with the next.
#[test]
fn a_demo_leaves_nothing_behind() {
    let all = std::env::temp_dir().join(format!("heyan-cli-{}", Uuid::now_v7()));
    std::fs::create_dir(&all).unwrap();
    let folders = || std::fs::read_dir(&all).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let start = || {
        let mut demo = heyan(&["demo", "--json", "--listen", "127.0.0.1:0", "--population", "200"]);
        demo.env("TMPDIR", &all);
        first_line(demo).0
    };
    let mut killed = start();
    let left = folders();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].metadata().unwrap().permissions().mode() & 0o777, 0o700);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(folders(), left);
    for signal in ["TERM", "INT"] {
        let demos = [start(), start()];
        let now = folders();
        assert!(now.len() == 2 && !now.contains(&left[0]), "that of a running one stays: {now:?}");
        for mut demo in demos {
            let sent = Command::new("kill").args(["-s", signal, &demo.id().to_string()]).status().unwrap();
            assert!(sent.success() && demo.wait().unwrap().success());
        }
        assert!(folders().is_empty());
    }
    std::fs::remove_dir(&all).unwrap();
}

#[test]
fn verify_ends_as_the_outcome_says() {
    let demo = heyan(&["demo", "--json", "--listen", "127.0.0.1:0", "--population", "200"]);
    let (mut child, line) = first_line(demo);
    let ready: Value = serde_json::from_str(&line).unwrap();
    let gateway = ready["gateway"].as_str().unwrap();
    let verify = |request: &str, token: &str| {
        let mut command = heyan(&["verify", "-", "--gateway", gateway, "--wait", "0"]);
        let mut child = command.env("HEYAN_TOKEN", token).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
        said(child.wait_with_output().unwrap()).0.unwrap()
    };
    let token = ready["token"].as_str().unwrap();
    let sample = |outcome: &str| {
        let samples = ready["samples"].as_array().unwrap();
        samples.iter().find(|sample| sample["outcome"] == outcome).unwrap()["request"].to_string()
    };
    for (outcome, code) in
        [("confirmed", 0), ("refuted", 1), ("no_record", 1), ("mismatch", 1), ("referred", 1), ("pending", 3)]
    {
        assert_eq!(verify(&sample(outcome), token), code, "{outcome}");
    }
    for (request, token) in [("{", token), ("{}", token), (&sample("confirmed"), "heyan_x")] {
        assert_eq!(verify(request, token), 2, "{request}");
    }
    terminate(&child);
    child.wait().unwrap();
}
