use std::os::unix::fs::PermissionsExt as _;

use heyan::keys::Keys;
use heyan::receipt::jwks;
use serde_json::Value;

use super::town::{Scratch, done, heyan, hours_ago, receipt};

#[test]
fn a_receipt_is_checked_without_a_gateway() {
    let scratch = Scratch::new();
    let data = scratch.0.to_str().unwrap();
    done(&["keys", "new", "--data-dir", data]);
    let keys = scratch.open();
    let file = scratch.write("receipt.txt", &format!("{}\n", scratch.receipt()));
    let set = scratch.write("jwks.json", &done(&["keys", "list", "--data-dir", data, "--jwks"]));
    assert_eq!(std::fs::read_to_string(&set).unwrap().trim(), jwks(keys.receipt_checks()).to_string());
    for place in [["--keys", &set], ["--data-dir", data]] {
        let said = done(&["receipt", "check", &file, place[0], place[1]]);
        assert!(said.starts_with("valid until ") && said.contains("confirmed"), "{said}");
    }
    let said = done(&["receipt", "check", &file, "--keys", &set, "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["valid"], &said["claim"]), (&true.into(), &"status-is".into()));

    let strangers = Keys::ephemeral(None, hours_ago(0)).unwrap();
    for (text, reason) in [
        (receipt(&keys, hours_ago(30)), "expired"),
        (receipt(&strangers, hours_ago(0)), "unknown-key"),
        (String::new(), "malformed"),
        ("A".repeat(100_000), "too-long"),
    ] {
        let (code, said, errors) = heyan(&["receipt", "check", "-", "--keys", &set, "--json"], &text);
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{errors}"));
        assert_eq!((code, &said["reason"]), (Some(1), &reason.into()));
        let (code, said, _) = heyan(&["receipt", "check", "-", "--data-dir", data], &text);
        assert!(code == Some(1) && said.starts_with("not valid: "), "{said}");
    }
    for (arguments, code) in [
        (&["receipt", "check", &file][..], 2),
        (&["receipt", "check", &file, "--keys", &set, "--data-dir", data], 2),
        (&["receipt", "check", "/nowhere", "--keys", &set], 3),
        (&["receipt", "check", &file, "--keys", "/nowhere"], 3),
        (&["receipt", "check", &file, "--keys", &file], 3),
        (&["receipt", "check", &file, "--data-dir", "/nowhere"], 3),
    ] {
        let (found, said, errors) = heyan(arguments, "");
        assert_eq!(found, Some(code), "{arguments:?} {said}{errors}");
    }
}

#[test]
fn keys_are_made_rotated_shown_and_destroyed() {
    let scratch = Scratch::new();
    let folder = scratch.0.to_str().unwrap();
    let run = |command: &str, more: &[&str]| heyan(&[&["keys", command, "--folder", folder], more].concat(), "");
    let list = || -> Vec<Value> {
        let (_, said, _) = run("list", &["--json"]);
        let mut keys = serde_json::from_str::<Value>(&said).unwrap();
        serde_json::from_value(keys["keys"].take()).unwrap()
    };
    assert_eq!(run("list", &[]).0, Some(3));
    assert_eq!(run("rotate", &["--use", "receipt"]).0, Some(3));
    assert_eq!(run("new", &["--use", "receipt", "--algorithm", "sm2"]).0, Some(0));
    assert_eq!(run("new", &["--use", "receipt"]).0, Some(2));
    assert_eq!(run("new", &["--use", "subject", "--algorithm", "sm2"]).0, Some(2));
    assert_eq!(run("rotate", &["--use", "ledger"]).0, Some(2));
    assert_eq!(run("new", &[]).0, Some(0));
    assert_eq!(list().len(), 3);
    assert!(run("new", &[]).1.contains("already"));
    let subject = list().into_iter().find(|key| key["use"] == "subject").unwrap()["id"].as_str().unwrap().to_owned();
    let secret = std::fs::read_to_string(scratch.0.join(format!("{subject}.key"))).unwrap();
    let secret = secret.split("\"secret\":\"").nth(1).unwrap()[..43].to_owned();
    let (code, _, errors) = run("destroy", &[&subject]);
    assert!(code == Some(2) && errors.contains("rotate --use subject"), "{errors}");
    assert_eq!(run("rotate", &["--use", "subject"]).0, Some(0));
    let state = |id: &str| list().into_iter().find(|key| key["id"] == id).unwrap()["state"].clone();
    assert_eq!(state(&subject), "retired");
    assert_eq!(run("destroy", &[&subject]).0, Some(0));
    assert_eq!(state(&subject), "destroyed");
    assert_eq!(run("destroy", &["subject-0000000000000000"]).0, Some(2));
    for more in [&[][..], &["--json"], &["--jwks"]] {
        let (_, said, _) = run("list", more);
        for entry in std::fs::read_dir(&scratch.0).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains(&secret));
            let whole = text.split("\"secret\":\"").nth(1).map(|rest| &rest[..43]);
            assert!(whole.is_none_or(|secret| !said.contains(secret)), "{said}");
        }
    }
    std::fs::set_permissions(&scratch.0, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, _, errors) = run("list", &[]);
    assert!(code == Some(3) && errors.contains("chmod 700"), "{errors}");
}
