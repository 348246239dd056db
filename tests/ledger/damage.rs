//! Bytes of the file are not what they were: a disk that fails, or somebody who does not care for SQL.

use std::fs;

use heyan::ledger_store::{LedgerError, LedgerStore, Snapshot, Verified};

use crate::scene::Scene;

const ENTRIES: u64 = 60;

/// What a damaged file is found to be, and that never a wrong entry passes for a right one.
fn look(scene: &Scene, what: &str) -> Option<Verified> {
    let right = |index: u64| scene.entry(index).encode().unwrap();
    let verified = Snapshot::open(scene.folder()).and_then(|snapshot| snapshot.verify(&scene.trust(), &[]));
    match verified {
        Ok(verified) if verified.fault.is_none() => {
            let mut count = 0;
            let read = Snapshot::open(scene.folder()).unwrap().entries(|index, leaf| {
                assert!(leaf == right(index), "{what}: entry {index} is wrong, and passes as valid");
                count += 1;
                Ok::<_, LedgerError>(())
            });
            read.unwrap();
            assert_eq!((count, verified.entries), (ENTRIES, ENTRIES), "{what}");
            None
        }
        Ok(verified) => Some(verified),
        Err(LedgerError::Tampered { fault, .. }) => Some(Verified { entries: 0, root: [0; 32], fault: Some(fault) }),
        Err(error) => panic!("{what}: {error}"),
    }
}

struct Copy {
    scene: Scene,
    bytes: Vec<u8>,
}

impl Copy {
    fn new() -> Self {
        let scene = Scene::new();
        scene.add(&[usize::try_from(ENTRIES).unwrap()]);
        assert!(!scene.folder().join("ledger.sqlite-wal").exists(), "all of it is in the file");
        let bytes = fs::read(scene.file()).unwrap();
        Self { scene, bytes }
    }

    fn put(&self, bytes: &[u8]) {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.scene.folder().join(format!("ledger.sqlite{ending}")));
        }
        fs::write(self.scene.file(), bytes).unwrap();
    }
}

#[test]
fn one_bit_flipped_anywhere_is_found_or_harmless() {
    let copy = Copy::new();
    let (mut found, mut tried) = (0, 0);
    for at in (0..copy.bytes.len()).step_by(copy.bytes.len() / 700) {
        let mut bytes = copy.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        copy.put(&bytes);
        tried += 1;
        found += usize::from(look(&copy.scene, &format!("bit {} of byte {at}", at % 8)).is_some());
    }
    println!("{tried} bits flipped, {found} of them found; the others are in no row");
    assert!(found > tried / 3);
}

/// Every bit of one entry's row.
#[test]
fn every_bit_of_an_entry_counts() {
    let copy = Copy::new();
    let leaf = copy.scene.entry(33).encode().unwrap();
    let at = copy.bytes.windows(leaf.len()).position(|window| window == leaf).unwrap();
    for byte in at..at + leaf.len() + 32 {
        let mut bytes = copy.bytes.clone();
        bytes[byte] ^= 1 << (byte % 8);
        copy.put(&bytes);
        let verified = look(&copy.scene, &format!("byte {byte}")).unwrap();
        assert_eq!(verified.fault.unwrap().first_bad(), Some(33));
    }
}

#[test]
fn a_file_cut_off_anywhere_is_found() {
    let copy = Copy::new();
    for size in (0..copy.bytes.len()).step_by(997).chain([1, 99, 100, 512, copy.bytes.len() - 1]) {
        copy.put(&copy.bytes[..size]);
        assert!(look(&copy.scene, &format!("{size} bytes are left")).is_some(), "{size} bytes are left");
    }
}

#[test]
fn a_page_of_zeros_is_found() {
    let copy = Copy::new();
    let page = 4096;
    for number in 0..copy.bytes.len() / page {
        for filler in [0, 0xFF] {
            let mut bytes = copy.bytes.clone();
            bytes[number * page..(number + 1) * page].fill(filler);
            if bytes == copy.bytes {
                continue;
            }
            copy.put(&bytes);
            assert!(look(&copy.scene, &format!("page {number}")).is_some(), "page {number}");
            // Opening it to write does not panic, and does not take what is broken near its end for whole.
            drop(LedgerStore::open(copy.scene.folder(), copy.scene.ledger_keys()));
        }
    }
    copy.put(b"this is no ledger at all, but long enough to be one ".repeat(100).as_slice());
    assert!(look(&copy.scene, "another file").is_some());
    let error = LedgerStore::open(copy.scene.folder(), copy.scene.ledger_keys()).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
}
