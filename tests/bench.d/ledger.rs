//! Figures of the ledger: entries recorded in a second, with so many waiting at once; entries verified in a second by one core;
//! and the time of a proof, in a ledger as large as the argument says (10 million by default).

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use heyan::domain::{AgencyId, Answer, Outcome};
use heyan::ledger::{Entry, Event, Ledger as _, LedgerKey, LedgerKeys, Subject, SubjectHash, Subjects, Witness};
use heyan::ledger_store::{LedgerStore, Snapshot, Trust};
use heyan::signing::{KeyId, SubjectKey};
use uuid::Uuid;

fn main() {
    let entries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000_000_u64);
    let parent = std::env::var_os("HEYAN_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("heyan-bench-{}", Uuid::now_v7()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(measure(&folder, entries));
    verify(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
}

fn keys() -> LedgerKeys {
    LedgerKeys::new(LedgerKey::new("heyan/bench", &[1; 32]).unwrap(), Vec::new(), Vec::new())
}

fn entry() -> Entry {
    let key = SubjectKey::new(KeyId("subject-1".parse().unwrap()), &[1; 32]);
    let hash = SubjectHash::of(&"11010519491231002X".parse().unwrap(), &key);
    let witness = |source: &str| Witness { source: source.parse().unwrap(), answer: Answer::Confirms };
    let subject = |role: &str| Subject { role: role.to_owned(), hash: hash.clone() };
    Entry {
        event: Event::Answered {
            outcome: Outcome::Confirmed,
            witnesses: vec![witness("police"), witness("civil-affairs")],
        },
        at: "2026-11-25T08:00:00.123456Z".parse().unwrap(),
        request: Uuid::now_v7().to_string(),
        verification: Some(Uuid::now_v7()),
        agency: Some(AgencyId("housing-fund".parse().unwrap())),
        officer: Some("经办人 0017".into()),
        claim: Some("marital-status/spouses".parse().unwrap()),
        particulars: [("on".to_owned(), "2026-11-23".into())].into_iter().collect(),
        purpose: Some("housing-fund-withdrawal".parse().unwrap()),
        case: Some("2026-000123".into()),
        legal_basis: None,
        subjects: Some(Subjects { key: key.id().clone(), hashes: vec![subject("person"), subject("spouse")] }),
        rules: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into(),
    }
}

async fn measure(folder: &Path, entries: u64) {
    let store = LedgerStore::open(folder, keys()).unwrap();
    let entry = entry();
    println!("an entry has {} bytes", entry.encode().unwrap().len());
    for at_once in [1, 16, 64, 256, 1024] {
        let count = (at_once * 400).min(200_000);
        record(&store, &entry, at_once, count).await;
    }
    let left = entries.saturating_sub(store.checkpoint().checkpoint.size);
    record(&store, &entry, 4096, left).await;
    proofs(&store).await;
    drop(store);
    let start = Instant::now();
    drop(LedgerStore::open(folder, keys()).unwrap());
    println!("opening takes {:?}", start.elapsed());
}

async fn record(store: &LedgerStore, entry: &Entry, at_once: u64, count: u64) {
    let (before, start) = (store.commits(), Instant::now());
    let mut calls = Duration::ZERO;
    let mut waiting = FuturesUnordered::new();
    for number in 0..count {
        let call = Instant::now();
        waiting.push(store.record(entry));
        calls += call.elapsed();
        if number + 1 >= at_once {
            waiting.next().await.unwrap().unwrap();
        }
    }
    while let Some(recorded) = waiting.next().await {
        recorded.unwrap();
    }
    let (seconds, commits) = (start.elapsed().as_secs_f64(), store.commits() - before);
    let rate = count as f64 / seconds;
    let per_call = calls.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{at_once:>5} at once: {rate:>9.0} entries/s, {commits} commits for {count}, {per_call:.2} µs of the caller each"
    );
}

async fn proofs(store: &LedgerStore) {
    let size = store.checkpoint().checkpoint.size;
    let mut random = fastrand::Rng::with_seed(1);
    let mut times = Vec::new();
    for _ in 0..2000 {
        let index = random.u64(..size);
        let start = Instant::now();
        store.inclusion(index).await.unwrap();
        times.push(start.elapsed());
    }
    times.sort();
    println!("a proof in {size} entries: {:?} (median), {:?} (99 of 100)", times[1000], times[1980]);
    let start = Instant::now();
    for _ in 0..500 {
        store.consistency(random.u64(1..size), None).await.unwrap();
    }
    println!("a proof of consistency: {:?} (mean)", start.elapsed() / 500);
}

fn verify(folder: &Path) {
    let snapshot = Snapshot::open(folder).unwrap();
    for (trust, name) in [
        (Trust::Keys(Box::new(keys())), "its keys"),
        (Trust::Public(vec![keys().current().public().clone()]), "the public key"),
    ] {
        let start = Instant::now();
        let verified = snapshot.verify(&trust, &[]).unwrap();
        assert_eq!(verified.fault, None);
        let rate = verified.entries as f64 / start.elapsed().as_secs_f64();
        println!("verified with {name}: {rate:.0} entries/s");
    }
}
