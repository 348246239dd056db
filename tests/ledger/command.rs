//! `heyan ledger`, and the endpoints of a running gateway.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heyan::keys::KeyUse;
use heyan::ledger::Ledger as _;
use heyan::ledger_store::{Fault, LedgerError, LedgerStore};
use serde_json::{Value, json};

use crate::rfc::{self, Hash};
use crate::scene::{NUMBERS, Scene};

fn hash(value: &Value) -> Hash {
    STANDARD.decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

/// The size and the root that a note says, once its signature is checked, without a line of the program.
fn opened(scene: &Scene, note: &str) -> (usize, Hash) {
    let (text, signature) = note.split_once("\n\n").unwrap();
    let signature = signature.strip_prefix("— heyan/ledger ").unwrap().strip_suffix('\n').unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let public = scene.keys.ledger_checks().next().unwrap().bytes().to_vec();
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(format!("{text}\n").as_bytes(), &signature[4..]).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!((lines.len(), lines[0]), (3, "heyan/ledger"));
    (lines[1].parse().unwrap(), STANDARD.decode(lines[2]).unwrap().try_into().unwrap())
}

fn write(scene: &Scene, name: &str, text: &str) -> String {
    let path = scene.folder().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn verify_says_in_json_and_by_its_exit_code_what_it_found() {
    let scene = Scene::new();
    let checkpoints = scene.add(&[5, 7]);
    let root = STANDARD.encode(checkpoints[1].checkpoint.root);
    let valid = format!("{{\"valid\":true,\"entries\":12,\"root\":\"{root}\",\"first_bad\":null,\"reason\":null}}\n");
    let key = write(&scene, "key", &format!("{}\n", scene.ledger_keys().current().public()));
    let early = write(&scene, "early", &checkpoints[0].note);
    let late = write(&scene, "late", &checkpoints[1].note);
    for arguments in [
        &["verify", "--json"][..],
        &["verify", "--json", "--key", &key],
        &["verify", "--json", "--checkpoint", &late, "--checkpoint", &early],
        &["verify", "--json", "--key", &key, "--checkpoint", &early],
    ] {
        assert_eq!(scene.heyan(arguments, ""), (Some(0), valid.clone(), String::new()), "{arguments:?}");
    }
    let (code, said, _) = scene.heyan(&["verify"], "");
    assert!(code == Some(0) && said.starts_with("valid: 12 entries") && said.contains(&root), "{said}");
    scene.attack(|connection| {
        connection.execute_batch("DELETE FROM entries WHERE id > 9; DELETE FROM checkpoints WHERE id > 10").unwrap();
    });
    let (code, said, _) = scene.heyan(&["verify", "--json", "--checkpoint", &late], "");
    let found: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &found["valid"], &found["entries"], &found["first_bad"]),
        (Some(1), &json!(false), &json!(10), &json!(10))
    );
    assert!(found["reason"].as_str().unwrap().contains("12 entries"), "{said}");
    let (code, said, _) = scene.heyan(&["verify", "--checkpoint", &late], "");
    assert!(code == Some(1) && said.contains("NOT VALID") && said.contains("first bad entry: 10"), "{said}");
    fs::write(scene.file(), "no ledger").unwrap();
    let (code, said, complaint) = scene.heyan(&["verify", "--json"], "");
    assert!(code == Some(1) && said.contains("\"valid\":false"), "{said} {complaint}");
}

#[test]
fn what_checks_a_ledger_is_handed_out() {
    let scene = Scene::of(&[5]);
    let (code, said, _) = scene.heyan(&["key"], "");
    assert_eq!((code, said.trim()), (Some(0), &*scene.ledger_keys().current().public().to_string()));
    let key = write(&scene, "key", &said);
    assert_eq!(scene.heyan(&["verify", "--key", &key], "").0, Some(0));
    let list = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
        let output = command.args(["keys", "list", "--data-dir"]).arg(scene.folder()).args(more).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(list(&[]).contains(said.trim()));
    let keys: Value = serde_json::from_str(&list(&["--json"])).unwrap();
    let keys: Vec<&Value> = keys["keys"].as_array().unwrap().iter().filter(|key| !key["verifier"].is_null()).collect();
    assert!(keys.len() == 1 && keys[0]["use"] == "ledger" && keys[0]["verifier"] == said.trim(), "{keys:?}");
    let other = scene.ledger_keys_of("other/ledger").current().public().to_string();
    assert!(list(&["--origin", "other/ledger"]).contains(&other));
}

#[test]
fn a_ledger_keeps_its_origin_and_says_so() {
    let scene = Scene::new();
    let store = LedgerStore::open(scene.folder(), scene.ledger_keys_of("one/ledger")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(store.record(&scene.entry(0))), Ok(0));
    drop(store);
    // Its name comes from the ledger itself.
    let (code, said, _) = scene.heyan(&["verify"], "");
    assert!(code == Some(0) && said.starts_with("valid: 1 entry"), "{said}");
    let (_, key, _) = scene.heyan(&["key"], "");
    assert_eq!(key.trim(), scene.ledger_keys_of("one/ledger").current().public().to_string());
    let error = LedgerStore::open(scene.folder(), scene.ledger_keys()).unwrap_err();
    assert!(matches!(&error, LedgerError::OtherOrigin { found, .. } if found == "one/ledger"), "{error}");
    assert!(error.to_string().contains("[ledger] origin = \"one/ledger\""), "{error}");
    let other = write(&scene, "other", &scene.ledger_keys().current().public().to_string());
    for arguments in [&["verify", "--key", &*other][..], &["verify", "--json", "--key", &other]] {
        let (code, said, _) = scene.heyan(arguments, "");
        assert!(code == Some(1) && said.contains("its origin is") && said.contains("one/ledger"), "{said}");
    }
    let verified = scene.verify(&scene.trust(), &[]);
    assert_eq!(verified.fault, Some(Fault::OtherOrigin { found: "one/ledger".to_owned() }));
    // Somebody who has not the key gives it another name.
    scene.attack(|connection| {
        let sql = "UPDATE checkpoints SET note = replace(note, 'one/ledger', 'two/ledger') WHERE id = 0";
        connection.execute_batch(sql).unwrap();
    });
    let (code, said, _) = scene.heyan(&["verify"], "");
    assert!(code == Some(1) && said.contains("NOT VALID"), "{said}");
}

#[test]
fn a_history_says_what_it_cannot_know() {
    let scene = Scene::of(&[7]);
    let keys = scene.folder().join("keys");
    let id = scene.keys.subject().id().as_str().to_owned();
    let (code, said, complaint) = scene.heyan(&["history"], NUMBERS[0]);
    assert!(code == Some(0) && said.lines().count() == 3 && complaint.is_empty(), "{said} {complaint}");

    let (file, elsewhere) = (keys.join(format!("{id}.key")), scene.folder().join("elsewhere"));
    fs::rename(&file, &elsewhere).unwrap();
    let (code, said, complaint) = scene.heyan(&["history"], NUMBERS[0]);
    assert!(code == Some(4) && said.is_empty(), "{code:?} {said}");
    assert!(complaint.contains(&format!("7 entries are hidden by keys that are gone: {id}")), "{complaint}");

    fs::rename(&elsewhere, &file).unwrap();
    heyan::keys::rotate(&keys, KeyUse::Subject, None, "2026-11-26T08:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(scene.heyan(&["history"], NUMBERS[0]).1.lines().count(), 3);
    heyan::keys::destroy(&keys, &id, false, "2026-11-26T08:00:00Z".parse().unwrap()).unwrap();
    let (code, said, complaint) = scene.heyan(&["history"], NUMBERS[0]);
    assert!(code == Some(0) && said.is_empty(), "{code:?} {said}");
    assert!(complaint.contains(&format!("{id}. They were destroyed")), "{complaint}");
}

#[test]
fn what_is_used_wrongly_is_2_and_what_cannot_be_done_is_3() {
    let scene = Scene::of(&[3]);
    let other = Scene::of(&[3]);
    let checkpoint = fs::read_to_string(write(&other, "theirs", &other.add(&[1])[0].note)).unwrap();
    let theirs = write(&scene, "theirs", &checkpoint);
    let nonsense = write(&scene, "nonsense", "nonsense\n");
    let empty = write(&scene, "empty", "\n");
    for (arguments, input, code, expected) in [
        (&["verify", "--checkpoint", &theirs][..], "", 2, "none of the known keys"),
        (&["verify", "--checkpoint", &nonsense], "", 2, "no signed note"),
        (&["verify", "--checkpoint", "/nowhere"], "", 2, "cannot read /nowhere"),
        (&["verify", "--key", &nonsense], "", 2, "no Ed25519 key"),
        (&["verify", "--key", &empty], "", 2, "there is no key"),
        (&["prove", "3"], "", 2, "no entry 3"),
        (&["prove", "x"], "", 2, "invalid value"),
        (&["prove"], "", 2, "INDEX"),
        (&["history"], "110105194912310021\n", 2, "check character"),
        (&["history"], "", 2, "ID number"),
    ] {
        let (found, _, complaint) = scene.heyan(arguments, input);
        assert!(found == Some(code) && complaint.contains(expected), "{arguments:?}: {found:?} {complaint}");
    }
    fs::remove_file(scene.file()).unwrap();
    for arguments in [&["verify"][..], &["prove", "0"], &["export"]] {
        let (code, _, complaint) = scene.heyan(arguments, "");
        assert!(code == Some(3) && complaint.contains("there is no ledger at"), "{arguments:?}: {complaint}");
    }
}

#[test]
fn a_proof_is_checked_without_a_line_of_the_program() {
    let scene = Scene::of(&[21]);
    for index in [0, 7, 20_usize] {
        let (code, said, _) = scene.heyan(&["prove", &index.to_string()], "");
        assert_eq!(code, Some(0));
        let proof: Value = serde_json::from_str(&said).unwrap();
        let leaf = STANDARD.decode(proof["leaf"].as_str().unwrap()).unwrap();
        assert_eq!(leaf, scene.entry(index as u64).encode().unwrap());
        assert_eq!(proof["entry"], serde_json::from_slice::<Value>(&leaf).unwrap());
        let (size, root) = opened(&scene, proof["checkpoint"].as_str().unwrap());
        assert_eq!((size, &proof["tree_size"], &proof["index"]), (21, &json!(21), &json!(index)));
        let leaf = rfc::leaf_hash(&leaf);
        assert_eq!(hash(&proof["leaf_hash"]), leaf);
        assert_eq!(rfc::root_of(index, size, &leaf, &hashes(&proof["hashes"])), Some(root));
    }
}

#[test]
fn everything_is_exported_and_a_resident_finds_his_own() {
    let scene = Scene::of(&[10]);
    let (code, said, _) = scene.heyan(&["export"], "");
    assert_eq!((code, said.lines().count()), (Some(0), 10));
    for (index, line) in said.lines().enumerate() {
        let leaf = String::from_utf8(scene.entry(index as u64).encode().unwrap()).unwrap();
        assert_eq!(line, format!("{{\"index\":{index},\"entry\":{leaf}}}"), "the very bytes");
    }
    let own = |number: &str| {
        let (code, said, _) = scene.heyan(&["history"], number);
        assert_eq!(code, Some(0));
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["index"].as_u64().unwrap();
        said.lines().map(line).collect::<Vec<u64>>()
    };
    assert_eq!(own(&format!("{}\n", NUMBERS[0])), [0, 3, 6, 9]);
    assert_eq!(own(NUMBERS[1]), [1, 2, 4, 5, 7, 8]);
    assert_eq!(own("110105491231002"), [0, 3, 6, 9], "the old number is the same person's");
    assert_eq!(own("210102198001010010"), [0_u64; 0]);
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn gateway(scene: &Scene) -> (Process, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_heyan"))
        .args(["demo", "--json", "--listen", "127.0.0.1:0", "--population", "100", "--data-dir"])
        .arg(scene.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    (Process(child), ready["gateway"].as_str().unwrap().to_owned())
}

#[test]
fn a_gateway_proves_what_is_in_its_ledger() {
    heyan::sources::install_crypto();
    let scene = Scene::of(&[37]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(proves(&scene));
}

async fn proves(scene: &Scene) {
    let leaves: Vec<Hash> = (0..37).map(|number| rfc::leaf_hash(&scene.entry(number).encode().unwrap())).collect();
    let (_process, gateway) = gateway(scene);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let reply = client.get(format!("{gateway}/v1/ledger/{path}")).header("accept-language", "en").send().await;
        let reply = reply.unwrap();
        (
            reply.status().as_u16(),
            reply.headers()["content-type"].to_str().unwrap().to_owned(),
            reply.text().await.unwrap(),
        )
    };
    let (status, kind, note) = get("checkpoint").await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; charset=utf-8"));
    let (size, root) = opened(scene, &note);
    assert_eq!((size, root), (37, rfc::mth(&leaves)));
    for index in [0, 15, 16, 36] {
        let (status, _, body) = get(&format!("proof/{index}")).await;
        let proof: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, hashes(&proof["hashes"])), (200, rfc::path(index, &leaves)));
        assert_eq!((hash(&proof["leaf_hash"]), proof["checkpoint"].as_str().unwrap()), (leaves[index], &*note));
    }
    for (first, second) in [(1, 37), (16, 37), (20, 33), (37, 37)] {
        let (status, _, body) = get(&format!("consistency?first={first}&second={second}")).await;
        let proof: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, hashes(&proof["hashes"])), (200, rfc::proof(first, &leaves[..second])));
    }
    let (_, _, body) = get("consistency?first=5").await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["second"], 37);
    for (path, expected, pointer) in [
        ("proof/37", 404, None),
        ("proof/18446744073709551615", 404, None),
        ("proof/18446744073709551616", 422, Some("/index")),
        ("proof/-1", 422, Some("/index")),
        ("proof/%E4%B8%80", 422, Some("/index")),
        ("consistency", 422, Some("/first")),
        ("consistency?first=0", 422, Some("/first")),
        ("consistency?first=38", 422, Some("/first")),
        ("consistency?first=3&second=2", 422, Some("/first")),
        ("consistency?first=3&second=99", 422, Some("/second")),
        ("consistency?first=3&third=99", 422, Some("/")),
    ] {
        let (status, kind, body) = get(path).await;
        assert_eq!((status, kind.as_str()), (expected, "application/problem+json"), "{path}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["errors"][0]["pointer"].as_str(), pointer, "{path}: {body}");
    }
    let (code, said, complaint) = scene.heyan(&["verify", "--json"], "");
    assert!(code == Some(0) && said.contains("\"entries\":37"), "beside the running gateway: {said} {complaint}");
}
