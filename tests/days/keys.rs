//! Keys that somebody has taken away: none takes their place by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::town::{Departments, Gateway, agency, is_named};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The only key of a use.
fn key(folder: &Path, usage: &str) -> PathBuf {
    let is_one = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(usage);
    files(folder).into_iter().find(is_one).unwrap()
}

#[tokio::test]
async fn a_key_that_is_gone_is_missed_and_never_made_anew() {
    let departments = Departments::start(&["--population", "500"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let people = departments.living().await;
    assert_eq!(gateway.ask("fund", &is_named(&people[0]), &[]).await.status, 200);
    let (keys, elsewhere) = (gateway.data().join("keys"), gateway.data().join("elsewhere"));
    let checks = gateway.heyan(&["ledger", "key"], "").await;
    let (auditor, all) = (gateway.data().join("auditor"), files(&keys));
    fs::write(&auditor, &checks).unwrap();
    // A verifier key: its name, its hash and its Base64, which may hold plus signs.
    let name = checks.splitn(3, '+').take(2).collect::<Vec<_>>().join("+");
    let subject = key(&keys, "subject");
    let subject = subject.file_stem().unwrap().to_str().unwrap();
    for (usage, told, lost) in [
        ("ledger", &*name, "--new-ledger"),
        ("subject", subject, "heyan keys new --use subject"),
        ("receipt", "", "heyan keys new --use receipt"),
    ] {
        let file = key(&keys, usage);
        fs::rename(&file, &elsewhere).unwrap();
        let (code, said) = gateway.reload().await;
        let is_told =
            |said: &str| said.contains(&format!("no {usage} key is in")) && said.contains(told) && said.contains(lost);
        assert!(code == Some(2) && is_told(&said) && said.contains("nothing has changed"), "{code:?} {said}");
        assert_eq!(files(&keys).len(), all.len() - 1, "{usage}");
        fs::rename(&elsewhere, &file).unwrap();
        assert_eq!(gateway.reload().await.0, Some(0));
    }
    assert_eq!(gateway.ask("fund", &is_named(&people[1]), &[]).await.status, 200);
    gateway.kill();
    for usage in ["ledger", "subject", "receipt"] {
        let file = key(&keys, usage);
        fs::rename(&file, &elsewhere).unwrap();
        let said = gateway.refused(&[]).await;
        assert!(said.contains(&format!("no {usage} key is in")), "{said}");
        assert_eq!(files(&keys).len(), all.len() - 1, "{usage}");
        fs::rename(&elsewhere, &file).unwrap();
    }
    gateway.start().await;
    assert_eq!(gateway.ask("fund", &is_named(&people[2]), &[]).await.status, 200);
    assert_eq!(files(&keys), all);
    let said = gateway.heyan(&["ledger", "verify", "--key", auditor.to_str().unwrap()], "").await;
    assert!(said.starts_with("valid: "), "{said}");
    // Whoever says so gets another.
    fs::remove_file(key(&keys, "receipt")).unwrap();
    gateway.heyan(&["keys", "new", "--use", "receipt"], "").await;
    assert_eq!(gateway.reload().await.0, Some(0));
}

#[tokio::test]
async fn a_start_that_is_refused_makes_no_key() {
    let departments = Departments::start(&["--population", "100"]);
    let mut gateway = Gateway::new(&departments, &[agency("fund", true, "")], &[]);
    let keys = gateway.data().join("keys");
    let environment = gateway.environment.clone();
    gateway.environment.retain(|(name, _)| name != "HEYAN_STORE_KEY");
    assert!(gateway.refused(&[]).await.contains("HEYAN_STORE_KEY is not set"));
    assert!(!keys.exists());
    gateway.environment = environment;
    fs::create_dir_all(gateway.data()).unwrap();
    let mode = |mode| fs::set_permissions(gateway.data(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o755);
    assert!(gateway.refused(&[]).await.contains("is open to others than its owner"));
    assert!(!keys.exists());
    mode(0o700);
    gateway.start().await;
    assert_eq!(files(&keys).len(), 3);
}

#[tokio::test]
async fn a_receipt_key_of_another_algorithm_waits_until_all_else_is_right() {
    let departments = Departments::start(&["--population", "100"]);
    let gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    let keys = gateway.data().join("keys");
    let file = include_str!("../../config/heyan.toml");
    let sm2 = file.replacen("[receipts]\n", "[receipts]\nalgorithm = \"sm2\"\n", 1);
    gateway.write("config/heyan.toml", &sm2.replacen("[ledger]\n", "[ledger]\norigin = \"other/ledger\"\n", 1));
    let (code, said) = gateway.reload().await;
    assert!(code == Some(2) && said.contains("nothing has changed"), "{code:?} {said}");
    assert_eq!(files(&keys).len(), 3);
    gateway.write("config/heyan.toml", &sm2);
    assert_eq!(gateway.reload().await.0, Some(0));
    assert_eq!(files(&keys).len(), 4);
}
