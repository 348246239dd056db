//! The store on a real disk: what survives a process that is killed, who may open its files, and what is in them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heyan::clock::SystemClock;
use heyan::durable::{Application, Durable as _};
use heyan::store::{Store, StoreError, StoreKey};
use jiff::Timestamp;
use uuid::Uuid;

use kept::{NAME, NUMBER, OFFICER, RECEIPT, WINDOW, captured, closed_question, open_question, question, quota};

/// A folder that is gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("heyan-store-{}", Uuid::now_v7())))
    }

    /// Where the store makes its folder, two levels of it.
    fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.store().join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn key() -> StoreKey {
    KEY.parse().unwrap()
}

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn open(folder: &Path) -> Store {
    try_open(folder).unwrap()
}

fn try_open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(folder, &key(), Arc::new(SystemClock))
}

#[tokio::test]
async fn everything_is_there_when_it_is_opened_again() {
    let scratch = Scratch::new();
    let [one, two, three] = [(); 3].map(|()| Uuid::now_v7());
    let store = open(&scratch.store());
    let kept = open_question(one);
    store.keep(&kept).await.unwrap();
    store.keep(&open_question(two)).await.unwrap();
    store.close(&closed_question(two), &[], Timestamp::MAX, true).await.unwrap();
    store.close(&closed_question(three), &[], Timestamp::MAX, false).await.unwrap();
    store.noticed(two, Some(Timestamp::now())).await.unwrap();
    store.applying(&question(1)).await.unwrap();
    store.applied(&question(2), &captured()).await.unwrap();
    store.reserve(&quota(WINDOW), 50).await.unwrap();
    drop(store);
    let store = open(&scratch.store());
    assert!(store.open_questions().await.unwrap() == [kept]);
    assert_eq!(store.closed_question(three).await, Ok(Some(closed_question(three))));
    assert_eq!(store.notices(Timestamp::now()).await, Ok(vec![(closed_question(two), 1)]));
    assert!(store.application(&question(1)).await == Ok(Some(Application::Unknown)));
    assert!(store.application(&question(2)).await == Ok(Some(Application::Made(captured()))));
    assert!(store.application(&question(3)).await == Ok(None));
    assert_eq!(store.reserved(&quota(WINDOW)).await, Ok(50));
}

#[tokio::test]
async fn nothing_personal_can_be_read_in_its_files() {
    let scratch = Scratch::new();
    let store = open(&scratch.store());
    let ids: Vec<Uuid> = (0..50).map(|_| Uuid::now_v7()).collect();
    for (number, id) in (0..).zip(&ids) {
        store.keep(&open_question(*id)).await.unwrap();
        store.applying(&question(number)).await.unwrap();
        store.applied(&question(number), &captured()).await.unwrap();
    }
    let look = |moment: &str| {
        let files: Vec<PathBuf> = fs::read_dir(scratch.store()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut bytes = 0;
        for file in &files {
            let content = fs::read(file).unwrap();
            bytes += content.len();
            for secret in [NUMBER, &NUMBER[..17], NAME, OFFICER, RECEIPT, "receipt", KEY] {
                let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds {secret} {moment}", file.display());
            }
            assert_eq!(fs::metadata(file).unwrap().mode() & 0o777, 0o600, "{}", file.display());
        }
        assert!(bytes > 50 * 300, "that was all of it");
        files.len()
    };
    assert_eq!(look("while it is open"), 2, "the file and its journal, and nothing shared with other processes");
    for (number, id) in (0..).zip(&ids) {
        store.close(&closed_question(*id), &[], Timestamp::MAX, true).await.unwrap();
        store.application_ended(&question(number)).await.unwrap();
    }
    look("when all is answered");
    drop(store);
    assert_eq!(look("when it is closed"), 1);
}

#[tokio::test]
async fn what_is_answered_is_overwritten() {
    let scratch = Scratch::new();
    let store = open(&scratch.store());
    let id = Uuid::now_v7();
    store.keep(&open_question(id)).await.unwrap();
    drop(store);
    // The sealed value's first bytes, which are random.
    let file = rusqlite::Connection::open(scratch.file("heyan.sqlite")).unwrap();
    let sealed: Vec<u8> = file.query_row("SELECT sealed FROM open_questions", [], |row| row.get(0)).unwrap();
    drop(file);
    let is_there = || {
        let content = fs::read(scratch.file("heyan.sqlite")).unwrap();
        content.windows(16).any(|window| window == &sealed[..16])
    };
    assert!(is_there());
    let store = open(&scratch.store());
    store.close(&closed_question(id), &[], Timestamp::MAX, false).await.unwrap();
    drop(store);
    assert!(!is_there(), "not even what is encrypted");
}

#[test]
fn a_folder_that_others_can_read_is_refused() {
    let scratch = Scratch::new();
    drop(open(&scratch.store()));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    let file = scratch.file("heyan.sqlite");
    assert_eq!((mode(&scratch.0), mode(&scratch.store()), mode(&file)), (0o700, 0o700, 0o600));
    for (path, wrong, right) in [
        (scratch.store(), 0o755, 0o700),
        (scratch.store(), 0o710, 0o700),
        (file.clone(), 0o640, 0o600),
        (file, 0o604, 0o600),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(wrong)).unwrap();
        let error = try_open(&scratch.store()).unwrap_err().to_string();
        let [mode, advice] = [format!("(mode {wrong:o})"), format!("chmod {right:o} '{}'", path.display())];
        assert!(error.contains(&mode) && error.contains(&advice), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(right)).unwrap();
    }
    drop(open(&scratch.store()));
}

#[test]
fn another_key_a_newer_version_and_another_file_are_refused() {
    let scratch = Scratch::new();
    drop(open(&scratch.store()));
    let foreign = StoreKey::generate().unwrap();
    let error = Store::open(&scratch.store(), &foreign, Arc::new(SystemClock)).unwrap_err();
    assert!(matches!(error, StoreError::OtherKey(_)));
    assert!(error.to_string().contains("made with another key"), "{error}");
    drop(open(&scratch.store()));
    let file = rusqlite::Connection::open(scratch.file("heyan.sqlite")).unwrap();
    file.pragma_update(None, "user_version", 3).unwrap();
    drop(file);
    let error = try_open(&scratch.store()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 3, known: 2, .. }), "{error}");
    fs::write(scratch.file("heyan.sqlite"), "this is no database, but long enough to be one ".repeat(100)).unwrap();
    let error = try_open(&scratch.store()).unwrap_err();
    assert!(error.to_string().contains("file is not a database"), "{error}");
    let error = try_open(&scratch.file("heyan.sqlite")).unwrap_err();
    assert!(matches!(error, StoreError::Files { .. }), "{error}");
}

/// The part of the tests that another process plays: it does one thing after another, and says what it was told.
#[test]
fn child() {
    // Only a process that another test has started plays it.
    let Ok(folder) = std::env::var("HEYAN_STORE_CHILD") else { return };
    let store = open(Path::new(&folder));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // Numbers that no child before has used.
    let start = u64::try_from(Timestamp::now().as_microsecond()).unwrap() * 1000;
    println!("opened");
    runtime.block_on(async {
        let tasks = (0..8_u64).map(|task| work(&store, start + task * 1_000_000));
        futures_util::future::join_all(tasks).await;
    });
}

async fn work(store: &Store, first: u64) {
    let say = |line: String| writeln!(std::io::stdout().lock(), "{line}").unwrap();
    for number in first.. {
        let id = Uuid::now_v7();
        store.keep(&open_question(id)).await.unwrap();
        say(format!("kept {id}"));
        store.applying(&question(number)).await.unwrap();
        say(format!("applying {number}"));
        store.applied(&question(number), &captured()).await.unwrap();
        say(format!("applied {number}"));
        if number % 2 == 0 {
            store.close(&closed_question(id), &[], Timestamp::MAX, true).await.unwrap();
            say(format!("closed {id}"));
            store.application_ended(&question(number)).await.unwrap();
            say(format!("ended {number}"));
        }
        store.reserve(&quota(WINDOW), u32::try_from(number - first).unwrap()).await.unwrap();
        say(format!("reserved {}", number - first));
    }
}

fn spawn_child(folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("HEYAN_STORE_CHILD", folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// What a child was told before it was killed, a whole line each.
fn told(lines: &mut BufReader<ChildStdout>) -> Vec<(String, String)> {
    let mut told = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if let Some((what, which)) = line.strip_suffix('\n').and_then(|line| line.split_once(' ')) {
            told.push((what.to_owned(), which.to_owned()));
        }
        line.clear();
    }
    told
}

#[tokio::test]
async fn what_was_told_to_be_kept_outlives_the_process() {
    let scratch = Scratch::new();
    let mut told_so_far = BTreeMap::<String, BTreeSet<String>>::new();
    let random = AtomicU64::new(Uuid::new_v4().as_u64_pair().0);
    for round in 0..20 {
        let (mut child, mut lines) = spawn_child(&scratch.store());
        let mut line = String::new();
        while !line.trim_end().ends_with("opened") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the child cannot open the store in round {round}");
        }
        let pause = random.fetch_add(7919, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(pause % 150));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        for (what, which) in told(&mut lines) {
            told_so_far.entry(what).or_default().insert(which);
        }
        killer.join().unwrap();
        verify(&open(&scratch.store()), &told_so_far).await;
    }
    let count = |what: &str| told_so_far.get(what).map_or(0, BTreeSet::len);
    println!("20 processes killed: {} kept, {} closed, {} applied", count("kept"), count("closed"), count("applied"));
    assert!(count("kept") > 20);
}

async fn verify(store: &Store, told: &BTreeMap<String, BTreeSet<String>>) {
    let all = |what: &str| told.get(what).cloned().unwrap_or_default();
    let open: BTreeSet<Uuid> = store.open_questions().await.unwrap().iter().map(|question| question.id).collect();
    for id in &all("kept") {
        let id: Uuid = id.parse().unwrap();
        let closed = store.closed_question(id).await.unwrap();
        assert!(open.contains(&id) != closed.is_some(), "{id} is open or closed, and not both");
    }
    for id in &all("closed") {
        assert!(!open.contains(&id.parse().unwrap()), "{id} was closed");
    }
    let (applied, ended) = (all("applied"), all("ended"));
    for number in &all("applying") {
        let found = store.application(&question(number.parse().unwrap())).await.unwrap();
        let number_is_even = number.ends_with(['0', '2', '4', '6', '8']);
        match found {
            None => assert!(number_is_even && applied.contains(number), "the application {number} is lost"),
            Some(Application::Unknown) => assert!(!applied.contains(number), "{number} was applied"),
            Some(Application::Made(made)) => assert!(made == captured() && !ended.contains(number)),
        }
    }
    let reserved = all("reserved").iter().map(|up_to| up_to.parse::<u32>().unwrap()).max().unwrap_or_default();
    assert!(store.reserved(&quota(WINDOW)).await.unwrap() >= reserved);
}

#[test]
fn one_process_at_a_time_has_it_open() {
    let scratch = Scratch::new();
    let (mut child, mut lines) = spawn_child(&scratch.store());
    let mut line = String::new();
    while !line.trim_end().ends_with("opened") {
        line.clear();
        lines.read_line(&mut line).unwrap();
    }
    let draining = std::thread::spawn(move || told(&mut lines));
    let error = try_open(&scratch.store()).unwrap_err();
    assert!(error.to_string().contains("another heyan runs on"), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    draining.join().unwrap();
    let store = open(&scratch.store());
    assert!(matches!(try_open(&scratch.store()), Err(StoreError::InUse(_))), "nor twice in one process");
    drop(store);
    drop(open(&scratch.store()));
}

/// How much it can take; says so and asserts nothing about time.
#[tokio::test]
async fn many_at_once() {
    let scratch = Scratch::new();
    let store = open(&scratch.store());
    for writers in [1_u32, 64] {
        let (before, start, each) = (store.commits(), Instant::now(), 2000 / writers + 50);
        let write = async || {
            for _ in 0..each {
                store.keep(&open_question(Uuid::now_v7())).await.unwrap();
            }
        };
        futures_util::future::join_all((0..writers).map(|_| write())).await;
        let (kept, commits) = (writers * each, store.commits() - before);
        let seconds = start.elapsed().as_secs_f64();
        println!("{writers} writers: {:.0} keeps/s, {commits} commits for {kept}", f64::from(kept) / seconds);
        assert!(writers == 1 || commits < u64::from(kept) / 4);
    }
}
