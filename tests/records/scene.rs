use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use heyan::accounts::{Account, Duty, Password, Role};
use heyan::clock::{Clock as _, ManualClock};
use heyan::config::{Folder, SecretPlace};
use heyan::desk::{Desk, NewAccount, PasswordHash};
use heyan::domain::AgencyId;
use heyan::server::{Installation, Server, open_desk, open_keys, open_ledger, open_store};
use heyan::store::StoreKey;
use uuid::Uuid;

use crate::browser::Browser;

/// A gateway with two committees, `east` and `west`, each with a worker of that name, a supervisor `over` and an operator `ops`.
pub(crate) struct Scene {
    server: Option<Server>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) desk: Desk,
    address: SocketAddr,
    folder: PathBuf,
}

const PASSWORD: &str = "correct horse battery";

/// The day on which the clock stands, in Asia/Shanghai.
pub(crate) const TODAY: &str = "2026-11-23";

impl Scene {
    pub(crate) async fn new() -> Self {
        heyan::sources::install_crypto();
        let folder = std::env::temp_dir().join(format!("heyan-records-{}", Uuid::now_v7()));
        fs::create_dir_all(&folder).unwrap();
        let key = folder.join("store.key");
        fs::write(&key, StoreKey::generate().unwrap().reveal()).unwrap();
        private(&key);
        let clock = Arc::new(ManualClock::new("2026-11-23T08:00:00Z".parse().unwrap()));
        let (server, desk) = start(&folder, clock.clone());
        let address = server.address();
        let scene = Self { server: Some(server), clock, desk, address, folder };
        for (user, role, agency) in [
            ("east", Role::Committee, Some("east")),
            ("west", Role::Committee, Some("west")),
            ("over", Role::Supervisor, None),
            ("ops", Role::Operator, None),
        ] {
            scene.account(user, role, agency).await;
        }
        scene
    }

    async fn account(&self, user: &str, role: Role, agency: Option<&str>) {
        let agency = agency.map(|id| AgencyId(id.parse().unwrap()));
        let duty = Duty::new(role, agency).unwrap();
        let account = Account { user: user.parse().unwrap(), name: format!("{user} 同志"), duty };
        let password = PasswordHash::of(&Password::new(PASSWORD)).unwrap();
        let new = NewAccount { account, password: Some(password) };
        assert!(self.desk.add_account(new, self.clock.now(), None).await.unwrap());
    }

    /// A browser in which this user has signed in.
    pub(crate) async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = Browser::new(self.address);
        let page = browser.get("/sign-in").await;
        let shown = browser.submit(&page, "/sign-in", &[("user", user), ("password", PASSWORD)]).await;
        assert_eq!(shown.status, 303, "{}", shown.text);
        browser
    }

    /// A browser in which nobody has signed in.
    pub(crate) fn stranger(&self) -> Browser {
        Browser::new(self.address)
    }

    /// The day on which the clock stands now.
    pub(crate) fn today(&self) -> String {
        self.clock.today().to_string()
    }

    /// Ends the gateway, and starts another one on the same folder.
    pub(crate) fn restart(&mut self) {
        stop(self.server.take().unwrap()).unwrap();
        let (server, desk) = start(&self.folder, self.clock.clone());
        self.address = server.address();
        self.desk = desk;
        self.server = Some(server);
    }

    /// Every byte that was written.
    pub(crate) fn written(&self) -> Vec<u8> {
        let files = fs::read_dir(self.folder.join("data")).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).flat_map(|path| fs::read(path).unwrap()).collect()
    }

    /// A file of the test's own.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn start(folder: &std::path::Path, clock: Arc<ManualClock>) -> (Server, Desk) {
    let nowhere = |name: &str| Some(if name.ends_with("_ADDRESS") { "http://127.0.0.1:9" } else { "none" }.to_owned());
    let agency = |id: &str, name: &str| {
        format!(
            "[[agencies]]\nid = \"{id}\"\nname = \"{name}\"\n\n[[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\n\n"
        )
    };
    let overlay = folder.join("overlay/config/agencies");
    fs::create_dir_all(&overlay).unwrap();
    let agencies = agency("east", "东街社区居民委员会")
        + &agency("west", "西街社区居民委员会")
        + &agency("fund", "沈阳市公积金管理中心");
    fs::write(overlay.join("all.toml"), agencies).unwrap();
    let files = Folder::embedded().overlay(&folder.join("overlay")).unwrap();
    let mut installation = Installation::load(&files, &nowhere).unwrap();
    let settings = &mut installation.settings;
    settings.listen = "127.0.0.1:0".parse().unwrap();
    settings.workers = Some(2);
    settings.data_dir = Some(folder.join("data"));
    settings.store_key = Some(SecretPlace::File { file: folder.join("store.key") });
    installation.keys = open_keys(&installation.settings, clock.now()).unwrap();
    let store = Arc::new(open_store(&installation.settings, clock.clone()).unwrap());
    let ledger = Arc::new(open_ledger(&installation, &store, false, clock.now()).unwrap());
    let desk = open_desk(&installation.settings).unwrap();
    // Not on a thread that has a runtime.
    let kept = desk.clone();
    let started = std::thread::spawn(move || Server::start(installation, clock, store, ledger, kept)).join();
    (started.unwrap().unwrap(), desk)
}

/// Stopping waits, which a thread that drives tests must not.
fn stop(server: Server) -> std::io::Result<()> {
    std::thread::spawn(move || server.stop()).join().unwrap()
}

fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            let ended = stop(server);
            assert!(std::thread::panicking() || ended.is_ok());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
