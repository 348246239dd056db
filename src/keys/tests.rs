use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A folder that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("heyan-keys-{}", uuid::Uuid::now_v7())))
    }

    fn keys(&self) -> Keys {
        Keys::open_or_make(&self.0, None, now()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn file(&self, id: &KeyId) -> PathBuf {
        self.0.join(format!("{id}.key"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn now() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

#[test]
fn what_is_missing_is_made_once() {
    let scratch = Scratch::new();
    let first = scratch.keys();
    assert_eq!(scratch.names().len(), 3);
    assert_eq!(fs::metadata(&scratch.0).unwrap().permissions().mode() & 0o777, 0o700);
    for name in scratch.names() {
        assert_eq!(fs::metadata(scratch.0.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = scratch.keys();
    assert_eq!(again.receipt().public(), first.receipt().public());
    assert_eq!(again.ledger().public(), first.ledger().public());
    assert_eq!(again.subject().hash(&[b"a"]), first.subject().hash(&[b"a"]));
    assert_eq!(again.ledger_seed().unwrap().reveal(), first.ledger_seed().unwrap().reveal());
    let (receipt, ledger) = (first.receipt().public(), first.ledger().public());
    assert_ne!(receipt.bytes(), ledger.bytes());
}

#[test]
fn a_new_key_signs_and_the_old_one_still_checks() {
    let scratch = Scratch::new();
    let before = scratch.keys();
    for usage in KeyUse::ALL {
        // The clock stands: the new key is the newer one all the same.
        rotate(&scratch.0, usage, None, now()).unwrap();
    }
    let after = scratch.keys();
    assert_ne!(after.receipt().public(), before.receipt().public());
    assert!(after.receipt_checks().any(|key| key == before.receipt().public()));
    assert!(after.ledger_checks().any(|key| key == before.ledger().public()));
    assert_eq!(after.receipt_checks().count(), 2);
    let ids: Vec<_> = after.subjects().map(|key| key.id().clone()).collect();
    assert_eq!(ids, [after.subject().id().clone(), before.subject().id().clone()]);
    let states: Vec<_> = after.ring().keys().map(|key| after.ring().state(key)).collect();
    assert_eq!(states.iter().filter(|state| **state == State::Active).count(), 3);
    assert_eq!(states.iter().filter(|state| **state == State::Retired).count(), 3);
}

#[test]
fn receipts_are_signed_with_what_is_wanted() {
    let scratch = Scratch::new();
    let open = |wanted| Keys::open_or_make(&scratch.0, wanted, now()).unwrap();
    assert_eq!(open(None).receipt().public().algorithm(), Algorithm::Ed25519);
    let keys = open(Some(Algorithm::Sm2));
    assert_eq!(keys.receipt().public().algorithm(), Algorithm::Sm2);
    assert_eq!(keys.receipt_checks().count(), 2);
    assert_eq!(open(None).receipt().public(), keys.receipt().public());
    assert_eq!(open(Some(Algorithm::Sm2)).receipt().public(), keys.receipt().public());
    let (key, _) = rotate(&scratch.0, KeyUse::Receipt, None, now()).unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::Sm2);
    for usage in [KeyUse::Ledger, KeyUse::Subject] {
        let error = rotate(&scratch.0, usage, Some(Algorithm::Sm2), now()).unwrap_err();
        assert!(matches!(error, KeysError::Algorithm(..)), "{error}");
    }
}

#[test]
fn a_destroyed_key_leaves_its_name_and_what_checks() {
    let scratch = Scratch::new();
    let before = scratch.keys();
    let (receipt, subject) = (before.receipt().public().id().clone(), before.subject().id().clone());
    for id in [&receipt, &subject] {
        let error = destroy(&scratch.0, id.as_str(), false, now()).unwrap_err();
        assert!(error.to_string().contains("heyan keys rotate --use"), "{error}");
    }
    rotate(&scratch.0, KeyUse::Receipt, None, now()).unwrap();
    rotate(&scratch.0, KeyUse::Subject, None, now()).unwrap();
    for id in [&receipt, &subject] {
        destroy(&scratch.0, id.as_str(), false, now()).unwrap();
        assert!(!scratch.file(id).exists());
    }
    let after = scratch.keys();
    assert_eq!(after.destroyed_subjects().collect::<Vec<_>>(), [&subject]);
    assert!(after.subjects().all(|key| *key.id() != subject));
    assert!(after.receipt_checks().any(|key| key == before.receipt().public()));
    destroy(&scratch.0, receipt.as_str(), true, now()).unwrap();
    assert!(scratch.keys().receipt_checks().all(|key| key != before.receipt().public()));
    assert_eq!(scratch.keys().ring().keys().filter(|key| key.destroyed().is_some()).count(), 2);
    assert!(matches!(destroy(&scratch.0, "subject-1", false, now()), Err(KeysError::Unknown { .. })));
}

/// The moment of the crash: the key is written down as destroyed, and its secret is still there.
#[test]
fn an_interrupted_destruction_is_finished() {
    let scratch = Scratch::new();
    let subject = scratch.keys().subject().id().clone();
    let secret = fs::read(scratch.file(&subject)).unwrap();
    rotate(&scratch.0, KeyUse::Subject, None, now()).unwrap();
    destroy(&scratch.0, subject.as_str(), false, now()).unwrap();
    for half in [&secret[..], &secret[..20], &[]] {
        fs::write(scratch.file(&subject), half).unwrap();
        let ring = Ring::open(&scratch.0).unwrap();
        assert!(ring.keys().any(|key| *key.id() == subject && key.destroyed().is_some()));
        assert_eq!(scratch.keys().destroyed_subjects().collect::<Vec<_>>(), [&subject]);
        assert!(!scratch.file(&subject).exists());
    }
}

#[test]
fn keys_that_others_can_read_are_refused() {
    let scratch = Scratch::new();
    let id = scratch.keys().receipt().public().id().clone();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (path, right) in [(scratch.file(&id), 0o600), (scratch.0.clone(), 0o700)] {
        for open in [right | 0o040, right | 0o004, right | 0o020] {
            mode(&path, open);
            let error = Keys::open_or_make(&scratch.0, None, now()).unwrap_err().to_string();
            assert!(error.contains(&format!("chmod {right:03o} '{}'", path.display())), "{error}");
        }
        mode(&path, right);
    }
    mode(&scratch.file(&id), 0o400);
    assert_eq!(scratch.keys().receipt().public().id(), &id);
}

#[test]
fn a_file_that_is_no_key_is_named_and_not_shown() {
    let scratch = Scratch::new();
    let id = scratch.keys().receipt().public().id().clone();
    let text = fs::read_to_string(scratch.file(&id)).unwrap();
    let secret = text.split("\"secret\":\"").nth(1).unwrap()[..43].to_owned();
    let other = if secret.starts_with('A') { 'B' } else { 'A' };
    let changed = text.replace(&secret, &format!("{other}{}", &secret[1..]));
    for (wrong, why) in [
        (String::new(), Malformed::Shape),
        (text[..text.len() / 2].to_owned(), Malformed::Shape),
        (text.replace("\"use\"", "\"uses\""), Malformed::Shape),
        (text.replace('{', "{\"more\":1,"), Malformed::Shape),
        (text.replace(&secret, &secret[1..]), Malformed::Shape),
        (text.replace("\"receipt\"", "\"ledger\""), Malformed::Name),
        (text.replace("ed25519", "hmac-sha256"), Malformed::Algorithm),
        (text.replace("ed25519", "sm2"), Malformed::Name),
        (changed, Malformed::Name),
        ("0".repeat(100_000), Malformed::Shape),
    ] {
        fs::write(scratch.file(&id), &wrong).unwrap();
        let error = Keys::open_or_make(&scratch.0, None, now()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(matches!(error, KeysError::Malformed { why: found, .. } if found == why), "{wrong}: {shown}");
        assert!(shown.contains(id.as_str()) && !shown.contains(&secret[1..]), "{shown}");
    }
    fs::write(scratch.file(&id), &text).unwrap();
    fs::rename(scratch.file(&id), scratch.0.join("receipt-0123456789abcdef.key")).unwrap();
    let error = Keys::open_or_make(&scratch.0, None, now()).unwrap_err();
    assert!(matches!(error, KeysError::Malformed { why: Malformed::Name, .. }), "{error}");
}

#[test]
fn keys_come_from_a_text_too() {
    let scratch = Scratch::new();
    let first = scratch.keys().subject().id().clone();
    rotate(&scratch.0, KeyUse::Subject, None, now()).unwrap();
    destroy(&scratch.0, first.as_str(), false, now()).unwrap();
    let texts: String = scratch.names().iter().map(|name| fs::read_to_string(scratch.0.join(name)).unwrap()).collect();
    let (keys, read) = (scratch.keys(), Keys::from_text("HEYAN_KEYS", &texts).unwrap());
    assert_eq!(read.receipt().public(), keys.receipt().public());
    assert_eq!(read.subject().id(), keys.subject().id());
    assert_eq!(read.destroyed_subjects().collect::<Vec<_>>(), [&first]);
    let error = Keys::from_text("HEYAN_KEYS", &format!("\n{texts}{texts}")).unwrap_err();
    assert!(error.to_string().starts_with("HEYAN_KEYS, line 6: the key is there twice"), "{error}");
    assert!(matches!(Keys::from_text("HEYAN_KEYS", ""), Err(KeysError::Missing(KeyUse::Receipt))));
}

#[test]
fn nothing_shows_a_secret() {
    let keys = Keys::ephemeral(Some(Algorithm::Sm2), now()).unwrap();
    let shown = format!("{keys:?}");
    assert_eq!(shown.matches("Secret(…)").count(), 3, "{shown}");
    let seed = keys.ledger_seed().unwrap().reveal();
    assert!(!shown.contains(&format!("{}, {}, {}", seed[0], seed[1], seed[2])), "{shown}");
    let other = Keys::ephemeral(None, now()).unwrap();
    assert_ne!(other.subject().id(), keys.subject().id());
}

#[test]
fn a_first_key_is_made_once() {
    let scratch = Scratch::new();
    let key = make(&scratch.0, KeyUse::Receipt, Some(Algorithm::Sm2), now()).unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::Sm2);
    let error = make(&scratch.0, KeyUse::Receipt, None, now()).unwrap_err();
    assert!(matches!(error, KeysError::Present { .. }), "{error}");
    assert!(matches!(rotate(&scratch.0, KeyUse::Ledger, None, now()), Err(KeysError::Missing(KeyUse::Ledger))));
    assert_eq!(scratch.keys().receipt().public().id(), key.id());
}
