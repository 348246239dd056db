//! A gateway in this process, before departments that are nowhere, whose clock stands until a test moves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heyan::accounts::{Account, Duty, Password, Role};
use heyan::clock::{Clock as _, ManualClock};
use heyan::config::{Folder, Located, SecretPlace, Settings};
use heyan::desk::{Desk, NewAccount, PasswordHash};
use heyan::domain::AgencyId;
use heyan::keys::Lacking;
use heyan::server::{Installation, Server, open_desk, open_keys, open_ledger, open_store};
use heyan::store::StoreKey;
use jiff::Timestamp;
use uuid::Uuid;

use super::browser::{Browser, Shown};

/// A folder, and the gateway on it.
pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
    pub(crate) clock: Arc<ManualClock>,
    running: Option<Running>,
}

/// A gateway, and its tables of people.
struct Running {
    server: Server,
    desk: Desk,
}

/// The password of every account.
pub(crate) const PASSWORD: &str = "correct horse battery";

impl Scene {
    /// A folder of the test's own, whose clock shows this.
    pub(crate) fn at(now: Timestamp) -> Self {
        heyan::sources::install_crypto();
        let folder = std::env::temp_dir().join(format!("heyan-scene-{}", Uuid::now_v7()));
        fs::create_dir_all(&folder).unwrap();
        let key = folder.join("store.key");
        fs::write(&key, StoreKey::generate().unwrap().reveal()).unwrap();
        for_its_owner(&key);
        Self { folder, clock: Arc::new(ManualClock::new(now)), running: None }
    }

    /// Writes a file of the configuration.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.join("overlay").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Starts a gateway on the folder, with these variables and these changes of its settings.
    pub(crate) fn start(&mut self, variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) {
        let mut installation = self.installation(variables, change);
        let clock = self.clock.clone();
        installation.keys = open_keys(&installation.settings, Lacking::Made, clock.now()).unwrap();
        let store = Arc::new(open_store(&installation.settings, clock.clone()).unwrap());
        let ledger = Arc::new(open_ledger(&installation, &store, false, clock.now()).unwrap());
        let desk = open_desk(&installation.settings).unwrap();
        // Not on a thread that has a runtime.
        let kept = desk.clone();
        let started = std::thread::spawn(move || Server::start(installation, clock, store, ledger, kept)).join();
        self.running = Some(Running { server: started.unwrap().unwrap(), desk });
    }

    /// Reads the folder anew while the gateway goes on.
    pub(crate) fn reload(&self) {
        let installation = self.installation(&[], |_| {});
        let server = &self.running.as_ref().unwrap().server;
        // Not on a thread that has a runtime.
        std::thread::scope(|scope| scope.spawn(|| server.reload(installation)).join().unwrap()).unwrap();
    }

    /// What the folder says, with these variables and these changes of its settings.
    fn installation(&self, variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) -> Installation {
        let environment = |name: &str| {
            let known = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let nowhere = if name.ends_with("_ADDRESS") { "http://127.0.0.1:9" } else { "none" };
            Some(known.unwrap_or(nowhere).to_owned())
        };
        let files = Folder::embedded().overlay(&self.folder.join("overlay")).unwrap();
        let mut installation = Installation::load(&files, &environment).unwrap();
        let settings = &mut installation.settings;
        settings.listen = "127.0.0.1:0".parse().unwrap();
        settings.workers = Some(2);
        settings.data_dir = Some(self.data());
        let key = SecretPlace::File { file: self.folder.join("store.key") };
        settings.store_key = Some(Located::by_argument("--data-dir", key));
        change(settings);
        installation
    }

    /// Ends the gateway.
    pub(crate) fn stop(&mut self) {
        if let Some(Running { server, .. }) = self.running.take() {
            // It waits, which a thread that has a runtime must not.
            let ended = std::thread::spawn(move || server.stop()).join();
            assert!(std::thread::panicking() || matches!(ended, Ok(Ok(()))));
        }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.running.as_ref().unwrap().desk
    }

    pub(crate) async fn account(&self, user: &str, role: Role, agency: Option<&str>) {
        let duty = Duty::new(role, agency.map(|id| AgencyId(id.parse().unwrap()))).unwrap();
        let account = Account { user: user.parse().unwrap(), name: format!("{user} 同志"), duty };
        let password = PasswordHash::of(&Password::new(PASSWORD)).unwrap();
        let new = NewAccount { account, password: Some(password) };
        assert!(self.desk().add_account(new, self.clock.now(), None).await.unwrap());
    }

    /// A browser in which nobody has signed in.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.base())
    }

    /// A browser in which this user has signed in.
    pub(crate) async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let shown = browser.sign_in(user, PASSWORD).await;
        assert_eq!(shown.status, 303, "{}", shown.text);
        browser
    }

    /// Its address.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().server.address())
    }

    /// Where it keeps what must survive.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Browser {
    /// Fills in the last form of a page that goes to this path, and sends it.
    pub(crate) async fn submit(&mut self, page: &Shown, path: &str, typed: &[(&str, &str)]) -> Shown {
        self.post(path, &page.form(path).with(typed)).await
    }

    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) -> Shown {
        let page = self.get("/sign-in").await;
        self.submit(&page, "/sign-in", &[("user", user), ("password", password)]).await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn for_its_owner(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
