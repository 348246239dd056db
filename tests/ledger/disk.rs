//! What survives a process that is killed, a disk that takes no more, and who may open the files.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use heyan::ledger::{Entry, Ledger as _, NotRecorded};
use heyan::ledger_store::{LedgerError, LedgerStore, Snapshot};
use uuid::Uuid;

use crate::scene::Scene;

/// The part of the tests that another process plays: it records without end, and says what it was told.
#[test]
fn child() {
    // Only a process that another test has started plays it.
    let Ok(folder) = std::env::var("HEYAN_LEDGER_CHILD") else { return };
    let folder = Path::new(&folder);
    let now = "2026-11-25T08:00:00Z".parse().unwrap();
    let keys = heyan::keys::Keys::open_or_make(&folder.join("keys"), None, now).unwrap();
    // Its parent removes the folder.
    let scene = std::mem::ManuallyDrop::new(Scene::at(folder, keys));
    let store = scene.open();
    let say = |line: String| writeln!(std::io::stdout().lock(), "{line}").unwrap();
    say("opened".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let work = async || {
            loop {
                let request = Uuid::now_v7().to_string();
                let entry = Entry { request: request.clone(), ..scene.entry(1) };
                match store.record(&entry).await {
                    Ok(index) => say(format!("recorded {index} {request}")),
                    Err(NotRecorded) => say(format!("refused {} {request}", store.checkpoint().checkpoint.size)),
                }
            }
        };
        futures_util::future::join_all((0..8).map(|_| work())).await;
    });
}

fn spawn(scene: &Scene) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new("sh")
        // A file that may not grow is then an error of writing, and not the end of the process.
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact disk::child --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env("HEYAN_LEDGER_CHILD", scene.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.trim_end().ends_with("opened") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the child cannot open the ledger");
    }
    (child, lines)
}

/// A line of the child: what it was told, an index, and the request.
fn told(line: &str) -> Option<(bool, u64, String)> {
    let mut words = line.strip_suffix('\n')?.split(' ');
    let is_recorded = match words.next()? {
        "recorded" => true,
        "refused" => false,
        _ => return None,
    };
    Some((is_recorded, words.next()?.parse().ok()?, words.next()?.to_owned()))
}

/// The requests in the ledger, after everything was computed anew.
fn requests(scene: &Scene) -> Vec<String> {
    assert_eq!(scene.verify(&scene.trust(), &[]).fault, None);
    let mut requests = Vec::new();
    let read = Snapshot::open(scene.folder()).unwrap().entries(|_, leaf| {
        requests.push(Entry::decode(leaf).unwrap().request);
        Ok::<_, LedgerError>(())
    });
    read.unwrap();
    requests
}

#[test]
fn what_was_told_to_be_recorded_outlives_the_process() {
    let scene = Scene::new();
    let mut random = fastrand::Rng::new();
    let mut recorded = Vec::new();
    for _ in 0..12 {
        let (mut child, mut lines) = spawn(&scene);
        let pause = Duration::from_millis(random.u64(..120));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(pause);
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            recorded.extend(told(&line));
            line.clear();
        }
        killer.join().unwrap();
        let there = requests(&scene);
        for (is_recorded, index, request) in &recorded {
            assert!(is_recorded, "nothing was wrong with the disk");
            assert_eq!(there[usize::try_from(*index).unwrap()], *request);
        }
    }
    println!("12 processes killed, {} entries told to be recorded", recorded.len());
    assert!(recorded.len() > 12);
    // Whoever begins anew goes on behind them.
    let there = requests(&scene).len();
    scene.add(&[3]);
    assert_eq!(requests(&scene).len(), there + 3);
}

fn limit(child: &Child, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let done = Command::new("prlimit").args(["--pid", &child.id().to_string(), &limit]).status().unwrap();
    assert!(done.success());
}

/// A file that cannot grow is what a full disk is; then there is room again.
#[test]
fn a_disk_that_takes_no_more_records_nothing_until_it_does() {
    let scene = Scene::new();
    let (mut child, mut lines) = spawn(&scene);
    let (mut recorded, mut refused) = (Vec::new(), Vec::new());
    let mut line = String::new();
    // So many in a row are told the same, and the disk has changed by then.
    for is_full in [false, true, false, true, false] {
        limit(&child, if is_full { "4096" } else { "unlimited" });
        let mut in_a_row = 0;
        while in_a_row < 40 {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the child has ended");
            let Some((is_recorded, index, request)) = told(&line) else { continue };
            in_a_row = if is_recorded == is_full { 0 } else { in_a_row + 1 };
            if is_recorded { recorded.push((index, request)) } else { refused.push(request) }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let there = requests(&scene);
    for (index, request) in &recorded {
        assert_eq!(there[usize::try_from(*index).unwrap()], *request);
    }
    assert!(refused.len() >= 80 && refused.iter().filter(|request| there.contains(request)).count() == 0);
}

#[test]
fn it_is_verified_while_it_is_written() {
    let scene = Scene::new();
    let (mut child, mut lines) = spawn(&scene);
    let reader = std::thread::spawn(move || {
        let mut count = 0;
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            count += usize::from(told(&line).is_some_and(|(is_recorded, ..)| is_recorded));
            line.clear();
        }
        count
    });
    let mut seen = Vec::new();
    let mut checkpoints = Vec::new();
    for _ in 0..25 {
        let snapshot = Snapshot::open(scene.folder()).unwrap();
        let verified = snapshot.verify(&scene.trust(), &checkpoints).unwrap();
        assert_eq!(verified.fault, None);
        let checkpoint = snapshot.checkpoint(&scene.trust()).unwrap();
        assert_eq!((verified.entries, verified.root), (checkpoint.checkpoint.size, checkpoint.checkpoint.root));
        seen.push(verified.entries);
        checkpoints.push(checkpoint);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen.is_sorted() && seen[0] < seen[24], "{seen:?}");
    assert!(reader.join().unwrap() > 0, "nobody was kept from writing");
}

#[test]
fn one_process_at_a_time_writes_it() {
    let scene = Scene::of(&[1]);
    let (mut child, _lines) = spawn(&scene);
    let error = LedgerStore::open(scene.folder(), scene.ledger_keys()).unwrap_err();
    assert!(matches!(error, LedgerError::InUse(_)), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    let store = scene.open();
    assert!(matches!(LedgerStore::open(scene.folder(), scene.ledger_keys()), Err(LedgerError::InUse(_))));
    drop(store);
    drop(scene.open());
}

#[test]
fn a_ledger_that_others_can_read_is_refused() {
    let scene = Scene::of(&[1]);
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(scene.folder()), mode(&scene.file())), (0o700, 0o600));
    let paths = [(scene.folder().to_owned(), 0o755, 0o700), (scene.file(), 0o640, 0o600), (scene.file(), 0o602, 0o600)];
    for (path, wrong, right) in paths {
        fs::set_permissions(&path, Permissions::from_mode(wrong)).unwrap();
        let error = LedgerStore::open(scene.folder(), scene.ledger_keys()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("(mode {wrong:o})")) && error.contains(&format!("chmod {right:o} '")),
            "{error}"
        );
        fs::set_permissions(&path, Permissions::from_mode(right)).unwrap();
    }
    let store = scene.open();
    for file in fs::read_dir(scene.folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop(store);
    let newer = rusqlite::Connection::open(scene.file()).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    drop(newer);
    let error = LedgerStore::open(scene.folder(), scene.ledger_keys()).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 2, known: 1, .. }), "{error}");
}
