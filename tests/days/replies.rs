//! The `Idempotency-Key` across a restart.

use std::fs;

use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::town::{Departments, Gateway, agency, is_divorced, is_named};

#[tokio::test]
async fn a_reply_survives_the_process() {
    let departments = Departments::start(&["--population", "2000", "--court-delay", "600000"]);
    let agencies = [agency("fund", true, ""), agency("bank", true, "")];
    let mut gateway = Gateway::started(&departments, &agencies, &[]).await;
    let (people, divorced) = (departments.living().await, departments.divorced_in_court().await.swap_remove(0));
    let key = [("idempotency-key", "application 1")];
    let later = [("idempotency-key", "application 2"), ("prefer", "respond-async")];
    // Equal ones at once do the work once.
    let replies =
        join_all((0..20).map(|_| gateway.post("fund", &is_named(&people[0]), &key)).map(super::town::send)).await;
    let first = &replies[0];
    assert_eq!((first.status, &first.body["outcome"]), (200, &json!("confirmed")), "{first:?}");
    assert!(replies.iter().all(|reply| reply.body == first.body));
    assert_eq!(departments.calls("police", "person").await, 1);
    let pending = gateway.ask("fund", &is_divorced(&divorced), &later).await;
    assert_eq!(pending.status, 202, "{pending:?}");
    gateway.kill();
    gateway.start().await;
    let again = gateway.ask("fund", &is_named(&people[0]), &key).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    let again = gateway.ask("fund", &is_divorced(&divorced), &later).await;
    assert_eq!((again.status, &again.body), (202, &pending.body));
    for header in ["location", "retry-after"] {
        assert_eq!(again.header(header), pending.header(header));
    }
    let known = gateway.show("fund", again.id()).await.status;
    assert!(known == 200 || known == 202, "{known}");
    let other = gateway.ask("fund", &is_named(&people[1]), &key).await;
    assert_eq!((other.status, &other.body["code"]), (409, &json!("idempotency-conflict")));
    assert_eq!(departments.calls("police", "person").await, 1);
    // Another agency's key is another key.
    let others = gateway.ask("bank", &is_named(&people[0]), &key).await;
    assert!(others.status == 200 && others.body["id"] != first.body["id"], "{others:?}");
    gateway.kill();
    is_sealed(&gateway, first.body["id"].as_str().unwrap(), &people[0]);
}

#[tokio::test]
async fn a_store_of_the_version_before_gets_a_place_for_replies() {
    let departments = Departments::start(&["--population", "200"]);
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &[]).await;
    gateway.kill();
    let file = Connection::open(gateway.data().join("heyan.sqlite")).unwrap();
    file.execute_batch("DROP TABLE replies; PRAGMA user_version = 1;").unwrap();
    drop(file);
    let question = is_named(&departments.living().await[0]);
    let mut ids = Vec::new();
    for _ in 0..2 {
        gateway.start().await;
        ids.push(gateway.ask("fund", &question, &[("idempotency-key", "one")]).await.id().to_owned());
        gateway.kill();
    }
    assert_eq!(ids[0], ids[1]);
}

/// Not one piece of the reply stands in the store's files; that there was a request cannot be proven by guessing it. (The
/// ledger holds, for good and without names, what was asked.)
fn is_sealed(gateway: &Gateway, id: &str, person: &Value) {
    use sha2::{Digest as _, Sha256};

    let digest = Sha256::digest(is_named(person).to_string().as_bytes());
    let pieces = [id.as_bytes(), b"application 1", b"name-matches-id", digest.as_slice()];
    let files = fs::read_dir(gateway.data()).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| !file.file_name().unwrap().to_string_lossy().starts_with("ledger")) {
        let bytes = fs::read(file).unwrap_or_default();
        for piece in pieces {
            assert!(!bytes.windows(piece.len()).any(|window| window == piece), "{}", String::from_utf8_lossy(piece));
        }
    }
}
