//! `heyan simulate`: faults and the gateway on its command line.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::{control, police, police_body, truth};

/// A running `heyan simulate`.
struct Simulate {
    child: Child,
    police: String,
    control: String,
}

impl Drop for Simulate {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.args(["simulate", "--port", "0", "--population", "100"]).args(arguments);
    command
}

impl Simulate {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(5);
        let addresses: Vec<(String, String)> = lines
            .map(|line| {
                line.unwrap().split_once(' ').map(|(name, at)| (name.to_owned(), at.trim().to_owned())).unwrap()
            })
            .collect();
        let address = |name: &str| addresses.iter().find(|(known, _)| known == name).unwrap().1.clone();
        Self { child, police: address("police"), control: address("control") }
    }
}

#[tokio::test]
async fn faults_are_there_from_the_start() {
    let simulate = Simulate::start(&[
        "--fault",
        "police.person=status-503",
        "--fault",
        "court.judgments.fetch=delay,share=0.5,millis=20",
    ]);
    let faults = control("GET", &simulate.control, "faults", &Value::Null).await.json();
    let expected = json!([
        { "source": "police", "operation": "person", "fault": "status-503", "share": 1.0, "millis": 0 },
        { "source": "court", "operation": "judgments.fetch", "fault": "delay", "share": 0.5, "millis": 20 },
    ]);
    assert_eq!(faults, expected);
    let body = police_body("S-RK-001", "210102190001010014");
    assert_eq!(police(&simulate.police, &body, "demo-police-secret").await.unwrap().status, 503);
}

#[tokio::test]
async fn departments_tell_the_gateway_of_the_command_line() {
    let gateway = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let simulate = Simulate::start(&["--gateway", &format!("http://{}", gateway.local_addr().unwrap())]);
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for _ in 0..4 {
            let (mut stream, _) = gateway.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let count = stream.read(&mut bytes).await.unwrap();
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            heard.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
        }
        heard
    });
    let lines = truth(&simulate.control).await;
    let person = lines.iter().find(|line| line["died"].is_null() && line["name"] == "石凤霞").unwrap();
    let sources = ["police", "civil-affairs", "health", "court"];
    let today = heyan::clock::day_of(jiff::Timestamp::now()).to_string();
    let event =
        json!({ "kind": "death", "persons": [person["id_number"]], "on": today, "known_to": sources, "notify": true });
    let reply = control("POST", &simulate.control, "events", &event).await.json();
    assert_eq!(
        reply["notified"],
        json!({ "police": 202, "civil-affairs": 202, "health": 202, "court": 202 }),
        "{reply}"
    );
    for (source, heard) in sources.iter().zip(heard.await.unwrap()) {
        assert!(heard.starts_with(&format!("POST /v1/sources/{source}/events HTTP/1.1\r\n")), "{heard}");
        assert!(heard.contains(&format!("\r\nAuthorization: Bearer demo-{source}-events\r\n")), "{heard}");
    }
}

#[test]
fn what_is_wrong_with_the_command_line_is_said() {
    for (option, value, reason) in [
        ("--fault", "army.*=hang", "there is no source \"army\""),
        ("--fault", "police.birth=hang", "it has person, households, and * for all"),
        ("--fault", "police.person=explode", "unknown variant `explode`, expected one of `delay`"),
        ("--fault", "police.person=hang,share=2", "the share is a number from 0 to 1"),
        ("--fault", "hang", "write it such as police.person="),
        ("--gateway", "127.0.0.1:8080", "write it such as http://"),
    ] {
        let output = command(&[option, value]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{value}: {said}");
        assert!(said.contains(reason) && said.contains(option), "{value}: {said}");
    }
}
