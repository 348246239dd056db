//! A ledger whose keys change while it is written, and one that is not there any more.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use super::town::{Departments, Gateway, agency, is_named};

async fn checkpoint(gateway: &Gateway) -> String {
    gateway.request(Method::GET, "/v1/ledger/checkpoint", "").send().await.unwrap().text().await.unwrap()
}

/// The hash of the key that has signed a note, as a verifier key says it.
fn signer(note: &str) -> String {
    use base64::Engine as _;

    let signature = note.trim_end().rsplit(' ').next().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
    format!("{:08x}", u32::from_be_bytes(bytes[..4].try_into().unwrap()))
}

/// The hashes of the keys that check a ledger, the newest first.
fn hashes(keys: &str) -> Vec<&str> {
    keys.lines().map(|key| key.split('+').nth(1).unwrap()).collect()
}

/// The id of a key of this use in this state.
async fn key(gateway: &Gateway, usage: &str, state: &str) -> String {
    let keys: Value = serde_json::from_str(&gateway.heyan(&["keys", "list", "--json"], "").await).unwrap();
    let of = |key: &&Value| key["use"] == usage && key["state"] == state;
    keys["keys"].as_array().unwrap().iter().find(of).unwrap()["id"].as_str().unwrap().to_owned()
}

/// The indexes of the entries about a resident.
async fn history(gateway: &Gateway, person: &Value) -> Vec<u64> {
    let lines = gateway.heyan(&["ledger", "history"], person["id_number"].as_str().unwrap()).await;
    let index = |line: &str| serde_json::from_str::<Value>(line).unwrap()["index"].as_u64().unwrap();
    lines.lines().map(index).collect()
}

#[tokio::test]
async fn a_running_gateway_writes_with_the_newest_keys() {
    let departments = Departments::start(&["--population", "500"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let people = departments.living().await;
    let ask = async |gateway: &Gateway, person: &Value| {
        assert_eq!(gateway.ask("fund", &is_named(person), &[]).await.status, 200);
    };
    ask(&gateway, &people[0]).await;
    let old = checkpoint(&gateway).await;
    let old_keys = gateway.heyan(&["ledger", "key"], "").await;
    assert_eq!(hashes(&old_keys), [signer(&old)]);
    gateway.heyan(&["keys", "rotate", "--use", "ledger"], "").await;
    gateway.heyan(&["keys", "rotate", "--use", "subject"], "").await;
    assert_eq!(gateway.reload().await.0, Some(0));
    assert_eq!(checkpoint(&gateway).await, old, "nothing has happened");
    let retired_signer = key(&gateway, "ledger", "retired").await;
    let (code, said) = run(&gateway, &["keys", "destroy", &retired_signer, "--distrust"]).await;
    assert!(code == Some(2) && said.contains("the last checkpoint") && said.contains("heyan reload"), "{said}");
    ask(&gateway, &people[0]).await;
    ask(&gateway, &people[1]).await;
    let new = checkpoint(&gateway).await;
    let keys = gateway.heyan(&["ledger", "key"], "").await;
    assert_eq!(hashes(&keys), [signer(&new), signer(&old)]);
    assert_ne!(signer(&new), signer(&old));
    // One entry of before, and the answer that the cache gave later, under another key.
    assert_eq!(history(&gateway, &people[0]).await, [0, 1, 2]);
    assert_eq!(history(&gateway, &people[1]).await, [3, 4]);
    let subject = |line: &str| serde_json::from_str::<Value>(line).unwrap()["entry"].to_string();
    let exported = gateway.heyan(&["ledger", "export"], "").await;
    let (retired, active) = (key(&gateway, "subject", "retired").await, key(&gateway, "subject", "active").await);
    let hidden_by: Vec<bool> = exported.lines().map(|line| subject(line).contains(&active)).collect();
    assert_eq!(hidden_by, [false, false, true, true, true]);
    assert!(exported.lines().take(2).all(|line| line.contains(&retired)));
    // What a destroyed key hid is hidden for good, and everything still checks: with all keys, with the public ones, and by a
    // checkpoint that was handed out before.
    gateway.heyan(&["keys", "destroy", &retired], "").await;
    let ledger_key = key(&gateway, "ledger", "retired").await;
    gateway.heyan(&["keys", "destroy", &ledger_key], "").await;
    assert_eq!(gateway.reload().await.0, Some(0));
    ask(&gateway, &people[0]).await;
    assert_eq!(history(&gateway, &people[0]).await, [2, 5]);
    let write = |name: &str, text: &str| {
        let file = gateway.data().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (old, public, first) = (write("old", &old), write("public", &keys), write("first", &old_keys));
    for more in [&["--checkpoint", &*old][..], &["--checkpoint", &old, "--key", &public]] {
        let said = gateway.heyan(&[&["ledger", "verify"], more].concat(), "").await;
        assert!(said.starts_with("valid: 6 entries"), "{said}");
    }
    let (code, said) = ledger_verify(&gateway, &["--key", &first]).await;
    assert!(code == Some(1) && said.contains("NOT VALID"), "an old key alone knows nothing of the new one: {said}");
    gateway.kill();
    gateway.start().await;
    ask(&gateway, &people[2]).await;
    assert!(gateway.heyan(&["ledger", "verify"], "").await.starts_with("valid: 8 entries"));
}

async fn ledger_verify(gateway: &Gateway, more: &[&str]) -> (Option<i32>, String) {
    run(gateway, &[&["ledger", "verify"], more].concat()).await
}

/// What the program says of its folder, with its exit code.
async fn run(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.args(arguments).arg("--data-dir").arg(gateway.data());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), said)
}

/// Puts the ledger's files away, or a copy of them back.
fn transfer(from: &Path, to: &Path) {
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        // A gateway that has ended well leaves the first one alone.
        let _ = fs::remove_file(to.join(name));
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_ledger_that_is_gone_is_missed() {
    let departments = Departments::start(&["--population", "500"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let people = departments.living().await;
    let data = gateway.data();
    let (early, late, nothing) = (data.join("early"), data.join("late"), data.join("nothing"));
    for folder in [&early, &late, &nothing] {
        fs::create_dir(folder).unwrap();
    }
    for (person, copy) in people.iter().zip([&early, &late]) {
        assert_eq!(gateway.ask("fund", &is_named(person), &[]).await.status, 200);
        gateway.signal("TERM");
        assert!(gateway.ended().await.success());
        transfer(&data, copy);
        gateway.start().await;
    }
    gateway.kill();
    transfer(&nothing, &data);
    let said = gateway.refused(&[]).await;
    assert!(said.contains("had 4 entries") && said.contains("it is not there"), "{said}");
    assert!(!data.join("ledger.sqlite").exists(), "none is begun");
    fs::write(nothing.join("ledger.sqlite"), "").unwrap();
    for (found, words) in [(&nothing, "it is empty"), (&early, "it has only 2")] {
        transfer(found, &data);
        fs::set_permissions(data.join("ledger.sqlite"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let said = gateway.refused(&[]).await;
        assert!(said.contains("had 4 entries") && said.contains(words) && said.contains("--new-ledger"), "{said}");
    }
    // Another one begins only where nothing is left, and if that is said.
    let said = gateway.refused(&["--new-ledger"]).await;
    assert!(said.contains("there is a ledger in"), "{said}");
    transfer(&late, &data);
    gateway.start().await;
    assert!(checkpoint(&gateway).await.starts_with("heyan/ledger\n4\n"));
    gateway.kill();
    fs::remove_file(data.join("ledger.sqlite")).unwrap();
    let _ = fs::remove_file(data.join("ledger.sqlite-wal"));
    gateway.start_with(&["--new-ledger"]).await;
    assert_eq!(gateway.ask("fund", &is_named(&people[0]), &[]).await.status, 200);
    assert!(checkpoint(&gateway).await.starts_with("heyan/ledger\n2\n"));
    assert!(gateway.log.text().contains("the ledger that was here is gone"));
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    // One of the same length is another one all the same.
    transfer(&early, &data);
    let said = gateway.refused(&[]).await;
    assert!(said.contains("had 2 entries") && said.contains("they are others"), "{said}");
}

#[tokio::test]
async fn a_ledger_keeps_its_origin_through_restarts_and_reloads() {
    let departments = Departments::start(&["--population", "200"]);
    let named = "origin = \"heyan.example.gov.cn/ledger\"";
    let changes = [("# origin = \"heyan.example.gov.cn/ledger\"", named)];
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &changes).await;
    assert!(checkpoint(&gateway).await.starts_with("heyan.example.gov.cn/ledger\n0\n"));
    assert!(gateway.heyan(&["keys", "list"], "").await.contains("heyan.example.gov.cn/ledger+"));
    gateway.write("config/heyan.toml", include_str!("../../config/heyan.toml"));
    let (code, said) = gateway.reload().await;
    assert!(code == Some(2) && said.contains("origin = \"heyan.example.gov.cn/ledger\""), "{said}");
    gateway.kill();
    let said = gateway.refused(&[]).await;
    assert!(said.contains("has the origin \"heyan.example.gov.cn/ledger\""), "{said}");
}
