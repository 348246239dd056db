//! What is on record of each question, whatever becomes of the process and the disk.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::town::{Departments, Gateway, Reply, agency, client, is_divorced, is_named, question, send, until};

/// `heyan ledger` on the gateway's folder: whether it says yes, and what it prints.
async fn ledger(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.arg("ledger").args(arguments).arg("--data-dir").arg(gateway.data());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// All entries. The ledger is sound, and continues these checkpoints.
async fn entries(gateway: &Gateway, checkpoints: &[String]) -> Vec<Value> {
    let mut files = Vec::new();
    for (number, checkpoint) in checkpoints.iter().enumerate() {
        let file = gateway.data().join(format!("{number}.checkpoint"));
        fs::write(&file, checkpoint).unwrap();
        files.extend(["--checkpoint".to_owned(), file.to_str().unwrap().to_owned()]);
    }
    let arguments: Vec<&str> = ["verify", "--json"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let (is_valid, said) = ledger(gateway, &arguments).await;
    assert!(is_valid, "{said}");
    let (_, lines) = ledger(gateway, &["export"]).await;
    lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
}

/// What an exported line says of the entry itself.
fn entry(line: &Value) -> &Value {
    if line["entry"].is_object() { &line["entry"] } else { line }
}

async fn checkpoint(gateway: &Gateway) -> String {
    gateway.request(Method::GET, "/v1/ledger/checkpoint", "").send().await.unwrap().text().await.unwrap()
}

async fn receipt(gateway: &Gateway, reply: &Value) -> Value {
    let body = json!({"receipt": reply["receipt"]}).to_string();
    let request = gateway.request(Method::POST, "/v1/receipts/check", "");
    send(request.header("content-type", "application/json").body(body)).await.body
}

#[tokio::test]
async fn what_is_no_question_is_on_record_without_its_content() {
    let departments = Departments::start(&["--population", "200"]);
    let gateway = Gateway::started(&departments, &[agency("fund", false, "")], &[]).await;
    let person = &departments.living().await[0];
    let (good, mut wrong) = (is_named(person), is_named(person));
    wrong["purpose"] = json!("no-such-purpose");
    let key = [("idempotency-key", "1")];
    let mut told = Vec::new();
    for (question, headers) in [(&wrong, &[][..]), (&good, &key), (&good, &key), (&wrong, &key)] {
        told.push(gateway.ask("fund", question, headers).await.status);
    }
    let mut other = good.clone();
    other["case"] = json!("2026-1");
    told.push(gateway.ask("fund", &other, &key).await.status);
    assert_eq!(told, [422, 200, 200, 422, 409]);
    let entries = entries(&gateway, &[checkpoint(&gateway).await]).await;
    let kinds: Vec<_> = entries.iter().map(|line| (&entry(line)["kind"], &entry(line)["refusal"])).collect();
    let refused = |code: &str| (json!("refused"), json!(code));
    let expected = [
        refused("invalid-request"),
        (json!("asked"), Value::Null),
        (json!("answered"), Value::Null),
        refused("invalid-request"),
        refused("idempotency-conflict"),
    ];
    assert!(kinds.iter().zip(&expected).all(|(found, (kind, code))| *found == (kind, code)), "{kinds:?}");
    assert_eq!(kinds.len(), expected.len());
    let first = entry(&entries[0]);
    assert!(first["agency"] == "fund" && first["purpose"].is_null() && first["officer"].is_null(), "{first}");
    assert!(entry(&entries[1])["officer"].is_null(), "nobody was named");
}

#[tokio::test]
async fn what_is_asked_and_answered_and_refused_is_on_record() {
    let departments = Departments::start(&["--population", "500"]);
    let nobody = agency("nobody", false, "").replace("claims = [\"*\"]", "claims = [\"alive/alive\"]");
    let gateway = Gateway::started(&departments, &[agency("fund", true, ""), nobody], &[]).await;
    let people = departments.living().await;
    let mut asked = is_named(&people[0]);
    asked["case"] = "案-7".into();
    asked["officer"] = "经办人 7".into();
    asked["legal_basis"] = "条例第三条".into();
    let first = gateway.ask("fund", &asked, &[]).await;
    let again = gateway.ask("fund", &asked, &[]).await;
    let refused = gateway.ask("nobody", &asked, &[]).await;
    let referred = gateway.ask("fund", &question("property/owns-real-estate", &people[1], &json!({})), &[]).await;
    assert_eq!((first.status, again.status, refused.status, referred.status), (200, 200, 403, 200));
    let entries = entries(&gateway, &[checkpoint(&gateway).await]).await;
    let kinds: Vec<&str> = entries.iter().map(|line| entry(line)["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["asked", "answered", "answered", "refused", "answered"]);
    assert_eq!(entry(&entries[3])["refusal"], "not-granted");
    assert_eq!(entry(&entries[3])["agency"], "nobody");
    for (reply, index) in [(&first, 1), (&again, 2), (&referred, 4)] {
        let entry = entry(&entries[index]);
        assert_eq!((&entry["verification"], &entry["outcome"]), (&reply.body["id"], &reply.body["outcome"]));
        let receipt = receipt(&gateway, &reply.body).await;
        assert_eq!((&receipt["valid"], &receipt["ledger"]), (&true.into(), &index.into()), "{receipt}");
        assert_eq!((&receipt["verification"], &receipt["outcome"]), (&reply.body["id"], &reply.body["outcome"]));
        let proof = send(gateway.request(Method::GET, &format!("/v1/ledger/proof/{index}"), "")).await;
        assert_eq!((proof.status, &proof.body["index"]), (200, &index.into()));
    }
    // A question that goes on behind its reply is on record before that.
    let pending = gateway.ask("fund", &is_divorced(&departments.divorced_in_court().await[0]), &LATER).await;
    assert_eq!((pending.status, &pending.body["receipt"]), (202, &Value::Null));
    let (_, lines) = ledger(&gateway, &["export"]).await;
    assert!(lines.lines().any(|line| line.contains("\"asked\"") && line.contains(pending.id())));
    for kept in ["case", "officer", "legal_basis"] {
        assert_eq!(entry(&entries[0])[kept], asked[kept]);
    }
    // The same person is the same subject; nobody else is.
    let subject = |index: usize| entry(&entries[index])["subjects"][0]["hash"].clone();
    assert!(subject(0) == subject(1) && subject(1) == subject(3) && subject(3) != subject(4));
}

#[tokio::test]
async fn whatever_was_replied_is_on_record_when_the_process_is_killed() {
    let departments = Departments::start(&["--population", "4000"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let people = departments.living().await;
    let (replies, mut checkpoints) = (RefCell::new(Vec::new()), Vec::new());
    for some in people.chunks(40).cycle().take(rounds()) {
        // Some are answered by the police, some by the cache; one that is not answered by then is asked by nobody any more.
        let questions = some.iter().map(is_named).chain(some.iter().map(is_named));
        let asking = join_all(questions.map(|question| {
            let request = gateway.post("fund", &question, &[]);
            let replies = &replies;
            async move {
                let Ok(reply) = request.send().await else { return };
                let Ok(body) = reply.bytes().await else { return };
                replies.borrow_mut().push(serde_json::from_slice::<Value>(&body).unwrap());
            }
        }));
        // Whoever has no reply by then will never get one.
        let _ = tokio::time::timeout(Duration::from_micros(fastrand::u64(0..400_000)), asking).await;
        gateway.kill();
        gateway.start().await;
        checkpoints.push(checkpoint(&gateway).await);
    }
    let replies = replies.into_inner();
    let entries = entries(&gateway, &checkpoints).await;
    let of_kind = |kind: &'static str| {
        let kept = entries.iter().enumerate().filter(move |(_, line)| entry(line)["kind"] == kind);
        kept.map(|(index, line)| (entry(line)["verification"].as_str().unwrap().to_owned(), index))
    };
    let (asked, answered) =
        (of_kind("asked").collect::<BTreeMap<_, _>>(), of_kind("answered").collect::<BTreeMap<_, _>>());
    for reply in &replies {
        let id = reply["id"].as_str().unwrap_or_else(|| panic!("{reply}"));
        let index = answered[id];
        assert_eq!(entry(&entries[index])["outcome"], reply["outcome"]);
        let receipt = receipt(&gateway, reply).await;
        assert_eq!((&receipt["valid"], &receipt["ledger"]), (&true.into(), &index.into()));
    }
    let calls = departments.calls("police", "person").await;
    println!("{} replies, {calls} calls of the police, {} questions on record before", replies.len(), asked.len());
    assert!(calls <= asked.len() as u64 && !replies.is_empty());
}

const LATER: [(&str, &str); 1] = [("prefer", "respond-async")];

/// How often the process is killed; `HEYAN_KILLS` says it otherwise.
fn rounds() -> usize {
    std::env::var("HEYAN_KILLS").map_or(8, |rounds| rounds.parse().unwrap())
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_asked() {
    let departments = Departments::start(&["--population", "500"]);
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let people = departments.living().await;
    assert_eq!(gateway.ask("fund", &is_named(&people[0]), &[]).await.status, 200);
    let calls = departments.calls("police", "person").await;
    gateway.limit_files(Some(4096));
    let told = |reply: &Reply| (reply.status, reply.body["code"].as_str().unwrap_or_default().to_owned());
    for person in &people[..4] {
        // The first one is in the cache: that answer may not leave either.
        let reply = gateway.ask("fund", &is_named(person), &[]).await;
        assert_eq!(told(&reply), (503, "ledger-unavailable".to_owned()), "{reply:?}");
        assert!(reply.body["retryable"] == true && !reply.header("retry-after").is_empty());
    }
    assert_eq!(departments.calls("police", "person").await, calls, "nobody is asked");
    gateway.limit_files(None);
    let ask = async || (gateway.ask("fund", &is_named(&people[1]), &[]).await.status == 200).then_some(());
    until("the ledger recovers by itself", ask).await;
    assert!(entries(&gateway, &[checkpoint(&gateway).await]).await.len() >= 4);
}

#[tokio::test]
async fn the_ledger_names_no_witness_that_was_not_asked() {
    let departments = Departments::start(&["--population", "2000"]);
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let is_married = |person: &&Value| person["marriages"].as_array().unwrap().iter().any(|one| one["to"].is_null());
    let people = departments.living().await;
    let mut asked =
        question("marital-status/status-is", people.iter().find(is_married).unwrap(), &json!({"status": "married"}));
    asked["subjects"]["person"]["name"] = json!("查无此人");
    let reply = gateway.ask("fund", &asked, &[]).await;
    assert_eq!(reply.body["outcome"], "mismatch", "{reply:?}");
    let calls = send(client().get(format!("{}/control/calls", departments.control))).await.body;
    let is_called = |calls: &Value| calls.as_object().unwrap().values().any(|count| count.as_u64().unwrap() > 0);
    let called = calls.as_object().unwrap().iter().filter(|(_, calls)| is_called(calls)).map(|(source, _)| &**source);
    let entries = entries(&gateway, &[checkpoint(&gateway).await]).await;
    let (told, recorded) = (sources(&reply.body), sources(entry(&entries[1])));
    assert!(!recorded.is_empty() && recorded.is_subset(&called.collect()), "{recorded:?}: {calls}");
    assert!(told.is_superset(&recorded) && told.len() > recorded.len(), "whoever asks is not told: {told:?}");
}

fn sources(of: &Value) -> BTreeSet<&str> {
    of["witnesses"].as_array().unwrap().iter().map(|witness| witness["source"].as_str().unwrap()).collect()
}
