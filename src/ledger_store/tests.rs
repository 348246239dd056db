use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;

use super::*;
use crate::domain::AgencyId;
use crate::ledger::{Event, LedgerKey, SignedCheckpoint};

/// A folder that is gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("heyan-ledger-{}", Uuid::now_v7())))
    }

    /// Everything that is in the ledger, computed anew: the requests of its entries.
    fn requests(&self, handed_out: &[SignedCheckpoint]) -> Vec<String> {
        let snapshot = Snapshot::open(&self.0).unwrap();
        let verified = snapshot.verify(&Trust::Keys(Box::new(keys())), handed_out).unwrap();
        assert_eq!(verified.fault, None);
        let mut requests = Vec::new();
        let read = snapshot.entries(|index, leaf| {
            assert_eq!(index, requests.len() as u64);
            requests.push(Entry::decode(leaf).unwrap().request);
            Ok::<_, LedgerError>(())
        });
        read.unwrap();
        assert_eq!(verified.entries, requests.len() as u64);
        requests
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn keys() -> LedgerKeys {
    LedgerKeys::new(LedgerKey::new("heyan/test", &[1; 32]).unwrap(), Vec::new(), Vec::new())
}

fn entry(request: &str) -> Entry {
    Entry {
        event: Event::Asked,
        at: "2026-11-25T08:00:00Z".parse().unwrap(),
        request: request.to_owned(),
        verification: None,
        agency: Some(AgencyId("fund".parse().unwrap())),
        officer: None,
        claim: None,
        particulars: serde_json::Map::new(),
        purpose: None,
        case: None,
        legal_basis: None,
        subjects: None,
        rules: "sha256:00".into(),
    }
}

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Failing {
    /// It does not.
    Not,
    /// Nothing is written, and the transaction is still open.
    Open,
    /// Nothing is written, and SQLite has given the transaction up.
    GivenUp,
    /// All is written, and the error says that it is not known.
    WrittenAnyway,
}

fn failing(order: Arc<Mutex<VecDeque<Failing>>>) -> Commit {
    Box::new(move |connection| {
        let failing = order.lock().unwrap().pop_front().unwrap_or(Failing::Not);
        match failing {
            Failing::Not | Failing::WrittenAnyway => connection.execute_batch("COMMIT")?,
            Failing::Open => {}
            Failing::GivenUp => connection.execute_batch("ROLLBACK")?,
        }
        let broken = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        if failing == Failing::Not { Ok(()) } else { Err(rusqlite::Error::SqliteFailure(broken, None)) }
    })
}

/// After every commit that fails, whichever way, the tree goes on from what is on the disk.
#[tokio::test]
async fn a_commit_that_fails_either_way_leaves_one_tree() {
    let scratch = Scratch::new();
    let order = Arc::new(Mutex::new(VecDeque::new()));
    let store = LedgerStore::open_with(&scratch.0, keys(), failing(Arc::clone(&order)), None).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let (mut there, mut handed_out) = (Vec::<String>::new(), Vec::new());
    for number in 0..150 {
        use Failing::{GivenUp, Not, Open, WrittenAnyway};
        let fails = [Not, Not, Open, GivenUp, WrittenAnyway][random.usize(..5)];
        order.lock().unwrap().push_back(fails);
        let request = format!("{number} {fails:?}");
        let recorded = store.record(&entry(&request)).await;
        match fails {
            Not => assert_eq!(recorded, Ok(there.len() as u64)),
            Open | GivenUp | WrittenAnyway => assert_eq!(recorded, Err(NotRecorded)),
        }
        if matches!(fails, Not | WrittenAnyway) {
            there.push(request);
        }
        let checkpoint = store.checkpoint();
        if fails == Not {
            assert_eq!(checkpoint.checkpoint.size, there.len() as u64);
            let proof = store.inclusion(there.len() as u64 - 1).await.unwrap();
            let root = checkpoint.checkpoint.root;
            assert!(crate::ledger::includes(
                &root,
                proof.checkpoint.checkpoint.size,
                proof.index,
                &proof.leaf,
                &proof.hashes
            ));
        }
        handed_out.push((*checkpoint).clone());
        assert_eq!(scratch.requests(&handed_out), there, "after {number}");
    }
    drop(store);
    let store = LedgerStore::open(&scratch.0, keys()).unwrap();
    assert_eq!(store.record(&entry("last")).await, Ok(there.len() as u64));
    there.push("last".to_owned());
    drop(store);
    assert_eq!(scratch.requests(&handed_out), there);
}

/// A store whose commits wait until they are let go.
fn held() -> (LedgerStore, std::sync::mpsc::Sender<()>, Scratch) {
    let scratch = Scratch::new();
    let (go, wait) = channel::<()>();
    let commit: Commit = Box::new(move |connection| {
        // When nobody holds it any more it goes on.
        let _ = wait.recv();
        connection.execute_batch("COMMIT")
    });
    (LedgerStore::open_with(&scratch.0, keys(), commit, None).unwrap(), go, scratch)
}

#[tokio::test]
async fn those_that_come_together_are_written_together() {
    let (store, go, scratch) = held();
    let first = store.record(&entry("first"));
    let others: Vec<_> = (0..500).map(|number| store.record(&entry(&number.to_string()))).collect();
    drop(go);
    assert_eq!(first.await, Ok(0));
    let indexes: Vec<u64> = join_all(others).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(indexes, (1..=500).collect::<Vec<u64>>(), "one thread's entries keep their order");
    assert!(store.commits() <= 3, "{} transactions", store.commits());
    assert_eq!(scratch.requests(&[(*store.checkpoint()).clone()]).len(), 501);
}

#[tokio::test]
async fn whoever_goes_away_is_recorded_and_keeps_nobody_waiting() {
    let (store, go, scratch) = held();
    drop(store.record(&entry("impatient")));
    let patient = store.record(&entry("patient"));
    drop(go);
    assert_eq!(patient.await, Ok(1));
    drop(store);
    assert_eq!(scratch.requests(&[]), ["impatient", "patient"]);
}

#[tokio::test]
async fn one_in_memory_does_the_same() {
    let store = LedgerStore::in_memory(keys()).unwrap();
    assert_eq!(store.checkpoint().checkpoint.size, 0);
    assert_eq!(store.inclusion(0).await, Err(NotProved::Outside(0)));
    for number in 0..40 {
        assert_eq!(store.record(&entry(&number.to_string())).await, Ok(number));
    }
    let checkpoint = store.checkpoint().checkpoint.clone();
    for index in 0..40 {
        let proof = store.inclusion(index).await.unwrap();
        assert!(crate::ledger::includes(&checkpoint.root, 40, index, &proof.leaf, &proof.hashes));
    }
    assert_eq!(store.consistency(0, None).await, Err(NotProved::Outside(40)));
    assert_eq!(store.consistency(1, Some(41)).await, Err(NotProved::Outside(40)));
    assert_eq!(store.consistency(3, Some(2)).await, Err(NotProved::Outside(40)));
    assert_eq!(store.consistency(16, None).await.unwrap().second, 40);
}
