use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use heyan::accounts::{Account, Duty, Password, Role, UserName};
use heyan::clock::{Clock as _, ManualClock};
use heyan::config::{Folder, SecretPlace, Settings};
use heyan::desk::{Desk, NewAccount, PasswordHash};
use heyan::domain::AgencyId;
use heyan::ledger_store::Snapshot;
use heyan::server::{Installation, Server, open_desk, open_keys, open_ledger, open_store};
use heyan::store::StoreKey;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::browser::Browser;

/// A gateway with accounts, and nobody else in it.
pub(crate) struct Scene {
    server: Option<Server>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) desk: Desk,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
}

/// Where an operator, a supervisor and a committee's worker begin.
pub(crate) fn home(user: &str) -> &'static str {
    match user {
        "wang" => "/operator",
        "li" => "/demands",
        _ => "/",
    }
}

/// The password of every account.
pub(crate) const PASSWORD: &str = "correct horse battery";

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// One whose settings are changed so.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::loaded("", &[], change).await
    }

    /// One whose file has these lines more, with these variables.
    pub(crate) async fn loaded(lines: &str, variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) -> Self {
        heyan::sources::install_crypto();
        let folder = std::env::temp_dir().join(format!("heyan-pages-{}", Uuid::now_v7()));
        fs::create_dir_all(&folder).unwrap();
        let overlay = folder.join("overlay");
        fs::create_dir_all(overlay.join("config")).unwrap();
        let file = format!("{}{lines}", include_str!("../../config/heyan.toml"));
        fs::write(overlay.join("config/heyan.toml"), file).unwrap();
        let environment = |name: &str| {
            let known = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let nowhere = if name.ends_with("_ADDRESS") { "http://127.0.0.1:9" } else { "none" };
            Some(known.unwrap_or(nowhere).to_owned())
        };
        let mut installation =
            Installation::load(&Folder::embedded().overlay(&overlay).unwrap(), &environment).unwrap();
        let settings = &mut installation.settings;
        settings.listen = "127.0.0.1:0".parse().unwrap();
        settings.workers = Some(2);
        let data = folder.join("data");
        settings.data_dir = Some(data.clone());
        let key = folder.join("store.key");
        fs::write(&key, StoreKey::generate().unwrap().reveal()).unwrap();
        restrict(&key);
        settings.store_key = Some(SecretPlace::File { file: key });
        change(settings);
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap()));
        installation.keys = open_keys(&installation.settings, clock.now()).unwrap();
        let store = Arc::new(open_store(&installation.settings, clock.clone()).unwrap());
        let ledger = Arc::new(open_ledger(&installation, &store, false, clock.now()).unwrap());
        let desk = open_desk(&installation.settings).unwrap();
        // Not on a thread that has a runtime.
        let (time, kept) = (clock.clone(), desk.clone());
        let started = std::thread::spawn(move || Server::start(installation, time, store, ledger, kept)).join();
        let server = started.unwrap().unwrap();
        let address = server.address();
        let scene = Self { server: Some(server), clock, desk, address, folder };
        scene.account("wang", Role::Operator).await;
        scene.account("li", Role::Supervisor).await;
        scene
    }

    pub(crate) async fn account(&self, user: &str, role: Role) {
        let agency = (role == Role::Committee).then(|| AgencyId("committee".parse().unwrap()));
        let duty = Duty::new(role, agency).unwrap();
        let account = Account { user: user.parse().unwrap(), name: format!("{user} 同志"), duty };
        let password = PasswordHash::of(&Password::new(PASSWORD)).unwrap();
        let new = NewAccount { account, password: Some(password) };
        assert!(self.desk.add_account(new, self.clock.now(), None).await.unwrap());
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser in which this user has signed in.
    pub(crate) async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let shown = browser.sign_in(user, PASSWORD).await;
        assert!(shown.status == 303 && shown.location() == home(user), "{}", shown.text);
        browser
    }

    pub(crate) fn wait(&self, long: Duration) {
        self.clock.advance(long);
    }

    /// Every entry of the ledger.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let mut entries = Vec::new();
        let read = Snapshot::open(&self.folder.join("data")).unwrap().entries(|_, leaf| {
            entries.push(serde_json::from_slice(leaf).unwrap());
            Ok::<_, heyan::ledger_store::LedgerError>(())
        });
        read.unwrap();
        entries
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

fn restrict(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            // Not on a thread that has a runtime.
            let ended = std::thread::spawn(move || server.stop()).join();
            assert!(std::thread::panicking() || matches!(ended, Ok(Ok(()))));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
