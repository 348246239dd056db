use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::accounts::{Account, Duty, Password, UserName};
use crate::domain::AgencyId;
use crate::ledger::Act;

fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

fn new(name: &str, password: Option<&str>) -> NewAccount {
    let duty = Duty::Committee(AgencyId("committee".parse().unwrap()));
    let account = Account { user: user(name), name: "王主任".to_owned(), duty };
    NewAccount { account, password: password.map(|text| PasswordHash::of(&Password::new(text)).unwrap()) }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("heyan-desk-{}", Uuid::now_v7())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn an_account_is_kept_as_it_was_made_and_changed() {
    let (desk, now) = (Desk::in_memory().unwrap(), Timestamp::from_second(1_800_000_000).unwrap());
    let made = new("wang", Some("correct horse battery"));
    assert!(desk.add_account(made.clone(), now, None).await.unwrap());
    assert!(!desk.add_account(new("wang", None), now, None).await.unwrap(), "there is one already");
    let found = desk.account(&user("wang")).await.unwrap().unwrap();
    assert_eq!((&found.account, &found.password), (&made.account, &made.password));
    assert_eq!((found.created, found.disabled, found.signed_in, found.version), (now, None, None, 1));

    desk.signed_in(&user("wang"), now).await.unwrap();
    assert!(desk.disable_account(&user("wang"), Some(now), None).await.unwrap());
    assert!(!desk.disable_account(&user("nobody"), Some(now), None).await.unwrap());
    let found = desk.account(&user("wang")).await.unwrap().unwrap();
    assert_eq!((found.disabled, found.signed_in, found.version), (Some(now), Some(now), 2));

    let other = PasswordHash::of(&Password::new("another horse battery")).unwrap();
    assert_eq!(desk.set_password(&user("wang"), other.clone(), None).await.unwrap(), Some(3));
    assert_eq!(desk.set_password(&user("nobody"), other.clone(), None).await.unwrap(), None);
    assert_eq!(desk.account(&user("wang")).await.unwrap().unwrap().password, Some(other));
    assert!(desk.add_account(new("li", None), now, None).await.unwrap());
    let users: Vec<_> = desk.accounts().await.unwrap().into_iter().map(|known| known.account.user).collect();
    assert_eq!(users, [user("li"), user("wang")]);
}

#[tokio::test]
async fn whom_another_house_signs_in_is_taken_in_and_takes_over_nobody() {
    let (desk, now) = (Desk::in_memory().unwrap(), Timestamp::UNIX_EPOCH);
    assert!(desk.add_account(new("wang", Some("correct horse battery")), now, None).await.unwrap());
    assert_eq!(desk.admit(new("wang", None).account, now).await.unwrap(), None, "wang has a password here");
    let first = desk.admit(new("li", None).account, now).await.unwrap().unwrap();
    assert_eq!((first.version, first.password.is_none()), (1, true));
    let renamed = Account { name: "李".to_owned(), ..first.account.clone() };
    let known = desk.admit(renamed, now).await.unwrap().unwrap();
    assert_eq!((known.account.name.as_str(), known.version), ("李", 1));
    let promoted = Account { duty: Duty::Supervisor, ..known.account };
    let known = desk.admit(promoted, now).await.unwrap().unwrap();
    assert_eq!((known.account.duty, known.version), (Duty::Supervisor, 2), "its sessions end");
}

#[tokio::test]
async fn what_a_hand_changes_is_noted_until_it_is_recorded() {
    let (desk, now) = (Desk::in_memory().unwrap(), Timestamp::from_second(1_800_000_000).unwrap());
    let hand = || Some(Hand { by: "uid 0".to_owned(), at: now });
    let password = || PasswordHash::of(&Password::new("another horse battery")).unwrap();
    assert!(desk.add_account(new("wang", None), now, hand()).await.unwrap());
    assert!(!desk.add_account(new("wang", None), now, hand()).await.unwrap());
    assert!(desk.set_password(&user("nobody"), password(), hand()).await.unwrap().is_none());
    desk.set_password(&user("wang"), password(), hand()).await.unwrap();
    desk.disable_account(&user("wang"), Some(now), hand()).await.unwrap();
    desk.disable_account(&user("wang"), None, hand()).await.unwrap();
    let noted = desk.unrecorded().await.unwrap();
    let acts: Vec<_> = noted.iter().map(|change| change.what.act).collect();
    assert_eq!(acts, [Act::NewAccount, Act::ChangePassword, Act::DisableAccount, Act::EnableAccount]);
    assert_eq!(Some(noted[0].hand.clone()), hand());
    assert_eq!(noted[0].what.object.as_ref().unwrap().as_str(), "wang");
    desk.is_recorded(&noted[0]).await.unwrap();
    assert_eq!(desk.unrecorded().await.unwrap(), noted[1..]);
}

#[tokio::test]
async fn two_processes_use_one_file_and_a_restart_finds_it() {
    let (scratch, now) = (Scratch::new(), Timestamp::UNIX_EPOCH);
    let (one, other) = (Desk::open(&scratch.0).unwrap(), Desk::open(&scratch.0).unwrap());
    assert!(one.add_account(new("wang", None), now, None).await.unwrap());
    assert!(other.account(&user("wang")).await.unwrap().is_some(), "seen at once");
    let secret = *one.secret();
    assert_eq!(&secret, other.secret());
    drop((one, other));
    let again = Desk::open(&scratch.0).unwrap();
    assert!(again.account(&user("wang")).await.unwrap().is_some());
    assert_eq!(&secret, again.secret());
    for file in ["desk.sqlite", "desk.sqlite-wal", "desk.sqlite-shm"] {
        let mode = fs::metadata(scratch.0.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_desk_that_others_can_read_or_a_newer_program_wrote_is_refused() {
    let scratch = Scratch::new();
    drop(Desk::open(&scratch.0).unwrap());
    let file = scratch.0.join("desk.sqlite");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Desk::open(&scratch.0), Err(DeskError::OpenToOthers { mode: 0o640, .. })));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    Connection::open(&file).unwrap().execute("UPDATE parts SET version = 99", []).unwrap();
    assert!(matches!(Desk::open(&scratch.0), Err(DeskError::Newer { found: 99, .. })));
    fs::write(&file, "not a database at all, but long enough to be looked at as one").unwrap();
    assert!(matches!(Desk::open(&scratch.0), Err(DeskError::Sqlite(_))));
}
