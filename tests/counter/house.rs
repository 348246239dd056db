//! A gateway in this process: its clock and its grants are the test's.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use heyan::accounts::{Account, Duty, Password, Role};
use heyan::clock::{Clock as _, ManualClock};
use heyan::config::Folder;
use heyan::desk::{Desk, NewAccount, PasswordHash};
use heyan::domain::AgencyId;
use heyan::server::{Installation, Server, open_ledger, open_store};
use uuid::Uuid;

use crate::tab::Tab;

pub(crate) struct House {
    server: Option<Server>,
    pub(crate) clock: Arc<ManualClock>,
    folder: PathBuf,
}

const PASSWORD: &str = "correct horse battery";

impl House {
    /// One with a committee that has these grants. No department answers.
    pub(crate) async fn new(grants: &str) -> Self {
        heyan::sources::install_crypto();
        let folder = std::env::temp_dir().join(format!("heyan-counter-{}", Uuid::now_v7()));
        let clock = Arc::new(ManualClock::new("2026-11-23T08:00:00Z".parse().unwrap()));
        let desk = Desk::in_memory().unwrap();
        let duty = Duty::new(Role::Committee, Some(AgencyId("east".parse().unwrap()))).unwrap();
        let account = Account { user: "wang".parse().unwrap(), name: "王同志".to_owned(), duty };
        let password = PasswordHash::of(&Password::new(PASSWORD)).unwrap();
        let new = NewAccount { account, password: Some(password) };
        assert!(desk.add_account(new, clock.now(), None).await.unwrap());
        let installation = installation(&folder, grants);
        let (time, kept) = (clock.clone(), desk);
        // Not on a thread that has a runtime.
        let started = std::thread::spawn(move || {
            let store = Arc::new(open_store(&installation.settings, time.clone()).unwrap());
            let ledger = Arc::new(open_ledger(&installation, &store, false, time.now()).unwrap());
            Server::start(installation, time, store, ledger, kept).unwrap()
        });
        Self { server: Some(started.join().unwrap()), clock, folder }
    }

    /// From now on the committee has these grants.
    pub(crate) fn grant(&self, grants: &str) {
        let installation = installation(&self.folder, grants);
        std::thread::scope(|scope| scope.spawn(|| self.server.as_ref().unwrap().reload(installation)).join().unwrap())
            .unwrap();
    }

    /// A worker who has signed in.
    pub(crate) async fn worker(&self) -> Tab {
        let mut browser = Tab::new(&format!("http://{}", self.server.as_ref().unwrap().address()));
        browser.go("/sign-in").await;
        browser.submit("/sign-in", &[("user", "wang"), ("password", PASSWORD)]).await;
        assert_eq!(browser.path, "/", "{}", browser.text());
        browser
    }
}

fn installation(folder: &std::path::Path, grants: &str) -> Installation {
    let overlay = folder.join("config/agencies");
    fs::create_dir_all(&overlay).unwrap();
    let agency = format!("[[agencies]]\nid = \"east\"\nname = \"东街社区居民委员会\"\n\n{grants}");
    fs::write(overlay.join("all.toml"), agency).unwrap();
    let nowhere = |name: &str| Some(if name.ends_with("_ADDRESS") { "http://127.0.0.1:9" } else { "none" }.to_owned());
    let mut installation = Installation::load(&Folder::embedded().overlay(folder).unwrap(), &nowhere).unwrap();
    let settings = &mut installation.settings;
    (settings.listen, settings.workers, settings.in_memory) = ("127.0.0.1:0".parse().unwrap(), Some(2), true);
    installation
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            let ended = std::thread::spawn(move || server.stop()).join();
            assert!(std::thread::panicking() || ended.is_ok_and(|ended| ended.is_ok()));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
