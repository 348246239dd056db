//! Somebody has the machine, but not the ledger's key, and changes what is written in every way.

use heyan::ledger::{Frontier, Ledger as _, SignedCheckpoint, leaf_hash};
use heyan::ledger_store::{Fault, LedgerError, LedgerStore};
use rusqlite::Connection;

use crate::scene::Scene;

/// Computes anew all that can be without the key: every stored hash.
fn recompute(connection: &Connection) {
    connection.execute_batch("DELETE FROM nodes").unwrap();
    let mut leaves = connection.prepare("SELECT leaf FROM entries ORDER BY id").unwrap();
    let leaves: Vec<Vec<u8>> = leaves.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(leaf_hash(&leaf), |node, hash| {
            if node.level > 0 && node.level % 4 == 0 {
                let id = (i64::from(node.level) << 56) | node.index.cast_signed();
                connection.execute("INSERT INTO nodes VALUES (?1, ?2)", (id, hash)).unwrap();
            }
        });
    }
}

const SWAP: &str = "
    CREATE TEMP TABLE two AS SELECT * FROM entries WHERE id IN (5, 12);
    UPDATE entries SET leaf = (SELECT leaf FROM two WHERE two.id = 17 - entries.id) WHERE id IN (5, 12);
    DROP TABLE two";
const SWAP_ALL: &str = "
    UPDATE entries SET id = -5 WHERE id = 5;
    UPDATE entries SET id = 5 WHERE id = 12;
    UPDATE entries SET id = 12 WHERE id = -5";
const CLOSE_GAP: &str = "
    DELETE FROM entries WHERE id = 5;
    UPDATE entries SET id = id - 1000 WHERE id > 5;
    UPDATE entries SET id = id + 999 WHERE id < 0";
const PUT_IN: &str = "
    UPDATE entries SET id = -id WHERE id >= 9;
    UPDATE entries SET id = -id + 1 WHERE id < 0;
    INSERT INTO entries SELECT 9, leaf, stamp FROM entries WHERE id = 3";

/// What is done to a ledger of 40 entries, and which one is the first that is not right.
const ATTACKS: &[(&str, Option<u64>)] = &[
    ("UPDATE entries SET leaf = CAST(replace(CAST(leaf AS TEXT), 'fund', 'bank') AS BLOB) WHERE id = 5", Some(5)),
    ("UPDATE entries SET leaf = CAST(replace(CAST(leaf AS TEXT), 'fund', 'bank') AS BLOB)", Some(0)),
    ("UPDATE entries SET leaf = x'', stamp = x'' WHERE id >= 39", Some(39)),
    ("UPDATE entries SET stamp = zeroblob(32) WHERE id = 7", Some(7)),
    (SWAP, Some(5)),
    (SWAP_ALL, Some(5)),
    ("DELETE FROM entries WHERE id = 0", Some(0)),
    ("DELETE FROM entries WHERE id = 5", Some(5)),
    (CLOSE_GAP, Some(5)),
    (PUT_IN, Some(9)),
    ("DELETE FROM entries WHERE id >= 15", Some(15)),
    ("DELETE FROM entries", Some(0)),
    ("INSERT INTO entries SELECT 40, leaf, stamp FROM entries WHERE id = 39", Some(40)),
    ("DELETE FROM checkpoints WHERE id > 30", Some(30)),
    ("DELETE FROM checkpoints", Some(0)),
    ("UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE id = 3) WHERE id = 40", Some(39)),
    ("INSERT INTO entries SELECT -1, leaf, stamp FROM entries WHERE id = 39", None),
    ("INSERT INTO checkpoints SELECT 41, note, stamp FROM checkpoints WHERE id = 40", None),
    ("DELETE FROM checkpoints WHERE id = 7", None),
    ("UPDATE checkpoints SET note = replace(note, 'heyan', 'hoyan') WHERE id = 7", None),
    ("UPDATE checkpoints SET stamp = x'00' WHERE id = 40", None),
    ("CREATE TABLE more (a)", None),
];

fn attacked(sql: &str, also_recomputes: bool) -> (Scene, Vec<SignedCheckpoint>) {
    let scene = Scene::new();
    let checkpoints = scene.add(&[20, 20]);
    assert_eq!(scene.verify(&scene.trust(), &checkpoints).fault, None);
    scene.attack(|connection| {
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        if also_recomputes {
            recompute(connection);
        }
    });
    (scene, checkpoints)
}

#[test]
fn the_first_entry_that_is_not_right_is_named() {
    for (sql, first_bad) in ATTACKS {
        for also_recomputes in [false, true] {
            let (scene, _) = attacked(sql, also_recomputes);
            let fault = scene.verify(&scene.trust(), &[]).fault;
            let fault = fault.unwrap_or_else(|| panic!("not found: {sql}"));
            assert_eq!(fault.first_bad(), *first_bad, "{sql}: {fault}");
        }
    }
}

/// Without the ledger's own key the place may not be known to the very entry; each commit here has one.
#[test]
fn the_public_key_finds_the_same() {
    for (sql, first_bad) in ATTACKS {
        // What is stamped, only the ledger's own key can tell.
        if sql.starts_with("UPDATE entries SET stamp") || sql.starts_with("UPDATE checkpoints SET stamp") {
            continue;
        }
        let (scene, _) = attacked(sql, true);
        let fault = scene.verify(&scene.public(), &[]).fault;
        let fault = fault.unwrap_or_else(|| panic!("not found: {sql}"));
        assert_eq!(fault.first_bad(), *first_bad, "{sql}: {fault}");
    }
}

/// A gateway opens a ledger whose end is right; what is wrong further back it does not prove.
#[test]
fn no_proof_is_given_that_does_not_hold() {
    let (scene, _) = attacked(ATTACKS[0].0, false);
    let store = scene.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let proves = |index: u64| runtime.block_on(store.inclusion(index)).is_ok();
    assert!(!proves(5) && !proves(6), "the altered one, and one whose proof needs it");
    assert!(proves(39));
}

#[test]
fn what_was_moved_is_told_from_what_was_altered() {
    let fault = |sql| {
        let (scene, _) = attacked(sql, true);
        scene.verify(&scene.trust(), &[]).fault.unwrap()
    };
    assert_eq!(fault(SWAP_ALL), Fault::Moved { entry: 5, from: 12 });
    assert_eq!(fault(CLOSE_GAP), Fault::Moved { entry: 5, from: 6 });
    assert_eq!(fault(PUT_IN), Fault::Moved { entry: 9, from: 3 });
    assert_eq!(fault(SWAP), Fault::Altered { entry: 5 });
    assert_eq!(fault("DELETE FROM entries WHERE id = 5"), Fault::Missing { entry: 5 });
    assert_eq!(fault("DELETE FROM entries WHERE id >= 15"), Fault::Truncated { entry: 15, size: 16 });
}

#[test]
fn what_was_cut_off_with_its_checkpoints_is_found_by_one_that_was_handed_out() {
    let cut = "DELETE FROM entries WHERE id >= 25; DELETE FROM checkpoints WHERE id > 25";
    let (scene, checkpoints) = attacked(cut, true);
    assert_eq!(scene.verify(&scene.trust(), &[]).fault, None, "the file alone cannot tell");
    assert_eq!(scene.verify(&scene.trust(), &checkpoints[..1]).fault, None, "nor a checkpoint before that");
    let fault = scene.verify(&scene.trust(), &checkpoints).fault.unwrap();
    assert_eq!(fault, Fault::Truncated { entry: 25, size: 40 });
    // The gateway goes on from there, as if nothing were.
    scene.add(&[20]);
    assert_eq!(scene.verify(&scene.trust(), &[]).fault, None);
    let fault = scene.verify(&scene.trust(), &checkpoints).fault;
    assert_eq!(fault, None, "the same entries came again");
}

#[test]
fn a_past_that_was_written_anew_is_found_by_checkpoints_that_were_handed_out() {
    let cut = "DELETE FROM entries WHERE id >= 25; DELETE FROM checkpoints WHERE id > 25";
    let (scene, checkpoints) = attacked(cut, true);
    let store = scene.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for number in 0..20 {
        use heyan::ledger::Ledger as _;
        runtime.block_on(store.record(&scene.entry(100 + number))).unwrap();
    }
    drop(store);
    assert_eq!(scene.verify(&scene.trust(), &[]).fault, None, "everything there is signed");
    let fault = scene.verify(&scene.trust(), &checkpoints).fault.unwrap();
    assert_eq!(fault, Fault::Rewritten { first: 20, last: 39, size: 40 });
}

#[test]
fn stored_hashes_are_computed_anew_too() {
    for sql in [
        "UPDATE nodes SET hash = zeroblob(32) WHERE id = (4 << 56) + 1",
        "DELETE FROM nodes WHERE id = 4 << 56",
        "INSERT INTO nodes VALUES ((4 << 56) + 2, zeroblob(32))",
        "UPDATE nodes SET hash = x'00'",
    ] {
        let (scene, _) = attacked(sql, false);
        let fault = scene.verify(&scene.trust(), &[]).fault.unwrap();
        assert!(matches!(fault, Fault::Node { level: 4, .. } | Fault::ForeignRows), "{sql}: {fault}");
    }
}

#[test]
fn tables_and_triggers_are_those_that_were_made() {
    for sql in [
        "DROP TRIGGER entries_stay",
        "DROP TABLE nodes",
        "ALTER TABLE entries RENAME TO hidden; CREATE VIEW entries AS SELECT * FROM hidden",
    ] {
        let scene = Scene::of(&[3]);
        Connection::open(scene.file()).unwrap().execute_batch(sql).unwrap();
        assert!(scene.verify(&scene.trust(), &[]).fault.is_some(), "{sql}");
        assert!(matches!(refused(&scene), Fault::Shape), "{sql}");
    }
    let scene = Scene::of(&[3]);
    let change = Connection::open(scene.file()).unwrap();
    for sql in ["UPDATE entries SET leaf = x''", "DELETE FROM checkpoints", "DELETE FROM nodes", "DELETE FROM entries"]
    {
        let error = change.execute_batch(sql).err().map(|error| error.to_string());
        assert!(error.is_none_or(|error| error.contains("never")), "{sql}");
    }
    assert_eq!(scene.verify(&scene.trust(), &[]).entries, 3);
}

fn refused(scene: &Scene) -> Fault {
    match LedgerStore::open(scene.folder(), scene.ledger_keys()) {
        Err(LedgerError::Tampered { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

/// What lies near the end is found out when it is opened, and nothing is repaired.
#[test]
fn a_ledger_that_does_not_fit_its_last_checkpoint_is_not_opened() {
    for sql in [
        "UPDATE entries SET leaf = x'00' WHERE id = 39",
        "DELETE FROM entries WHERE id = 39",
        "DELETE FROM entries",
        "INSERT INTO entries SELECT 40, leaf, stamp FROM entries WHERE id = 39",
        "DELETE FROM checkpoints WHERE id = 40",
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET stamp = x'00' WHERE id = 40",
        "UPDATE checkpoints SET note = 'none' WHERE id = 40",
        "UPDATE nodes SET hash = zeroblob(32)",
        "DELETE FROM nodes",
        "PRAGMA user_version = 0",
    ] {
        let (scene, _) = attacked(sql, false);
        let before = std::fs::read(scene.file()).unwrap();
        let fault = refused(&scene);
        assert!(!fault.to_string().is_empty());
        assert_eq!(refused(&scene), fault, "{sql}: it stays so");
        assert!(std::fs::read(scene.file()).unwrap() == before, "{sql}: the file is as it was");
    }
}

#[test]
fn the_ledger_of_another_gateway_is_known_as_such() {
    let (scene, other) = (Scene::of(&[3]), Scene::of(&[5]));
    std::fs::copy(other.file(), scene.file()).unwrap();
    for trust in [scene.trust(), scene.public()] {
        assert_eq!(scene.verify(&trust, &[]).fault, Some(Fault::Foreign { size: 5 }));
    }
    assert!(matches!(refused(&scene), Fault::Foreign { .. }));
}

#[test]
fn what_was_signed_before_a_rotation_still_checks() {
    let scene = Scene::of(&[3]);
    let now = "2026-11-26T08:00:00Z".parse().unwrap();
    heyan::keys::rotate(&scene.folder().join("keys"), heyan::keys::KeyUse::Ledger, None, now).unwrap();
    let keys = heyan::keys::Keys::open_or_make(&scene.folder().join("keys"), None, now).unwrap();
    let scene = std::mem::ManuallyDrop::new(scene);
    let rotated = Scene::at(scene.folder(), keys);
    rotated.add(&[3]);
    assert_eq!(rotated.verify(&rotated.trust(), &[]).fault, None);
    rotated.attack(|connection| {
        connection.execute_batch("UPDATE entries SET leaf = x'00' WHERE id = 1").unwrap();
    });
    assert_eq!(rotated.verify(&rotated.trust(), &[]).fault, Some(Fault::Altered { entry: 1 }));
}
