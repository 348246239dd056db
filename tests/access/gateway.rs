//! A gateway whose departments are not there: who calls is known before anybody is asked.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};

use heyan::domain::TokenHash;
use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::Value;
use uuid::Uuid;

use super::authority::{Authority, Identity};
use super::log::Log;
use super::until::until;

/// A gateway, and the folder of its files.
pub(crate) struct Gateway {
    folder: PathBuf,
    pub(crate) address: String,
    /// The PEM of whoever has signed its certificate.
    pub(crate) root: Option<String>,
    process: Option<Child>,
    log: Log,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            eprintln!("{}", self.log.text());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Gateway {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("heyan-access-{}", Uuid::now_v7()));
        fs::create_dir_all(folder.join("overlay/config/agencies")).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Self { folder, address, root: None, process: None, log: Log::default() }
    }

    /// One that has a certificate of this authority, and takes those of its clients too. `lines` go under `[tls]`.
    pub(crate) fn with_tls(authority: &Authority, lines: &str) -> Self {
        let mut gateway = Self::new();
        gateway.identity(&authority.server());
        gateway.write("ca.pem", &authority.pem);
        gateway.root = Some(authority.pem.clone());
        gateway.configure(&format!("{}\n{lines}", gateway.tls()));
        gateway
    }

    /// The table of its certificates.
    pub(crate) fn tls(&self) -> String {
        let at = |name: &str| self.path(name).display().to_string();
        format!(
            "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\nlook_every = \"50ms\"\nclient_ca = \"{}\"",
            at("server.pem"),
            at("server.key"),
            at("ca.pem")
        )
    }

    /// Puts a certificate of the listener there.
    pub(crate) fn identity(&self, identity: &Identity) {
        self.write("server.key", &identity.key);
        self.write("server.pem", &identity.certificate);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Puts a file there as a whole, which its owner alone may read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let (path, new) = (self.path(name), self.path(&format!("{name}.new")));
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, path).unwrap();
    }

    /// The gateway's file with these lines at its beginning or end.
    pub(crate) fn configure(&self, lines: &str) {
        let file = include_str!("../../config/heyan.toml");
        self.write("overlay/config/heyan.toml", &format!("{file}\n{lines}\n"));
    }

    /// Agencies with these credentials.
    pub(crate) fn agencies(&self, agencies: &[(&str, &str)]) {
        let text = agencies.iter().fold(String::new(), |mut text, (id, credentials)| {
            let _ = write!(
                text,
                "[[agencies]]\nid = \"{id}\"\nname = \"甲\"\n{credentials}\n\
                 [[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\n\n"
            );
            text
        });
        self.write("overlay/config/agencies/all.toml", &text);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
        command.args(arguments).args(["--config", concat!(env!("CARGO_MANIFEST_DIR"), "/config/heyan.toml")]);
        command.arg("--overlay").arg(self.folder.join("overlay")).env("HEYAN_LOG", "heyan=debug");
        for source in ["POLICE", "CIVIL_AFFAIRS", "HEALTH", "COURT"] {
            command.env(format!("HEYAN_{source}_ADDRESS"), "http://127.0.0.1:9");
            command.env(format!("HEYAN_{source}_EVENTS_TOKEN"), format!("demo-{source}-events"));
        }
        for secret in ["POLICE_SECRET", "CIVIL_AFFAIRS_FIRST_KEY", "HEALTH_TOKEN", "COURT_SECRET"] {
            command.env(format!("HEYAN_{secret}"), "a secret of a department");
        }
        command
    }

    pub(crate) async fn start(&mut self) {
        let mut command = self.command(&["serve", "--in-memory", "--listen", &self.address]);
        let process = command.stderr(self.log.of_process()).spawn().unwrap();
        self.process = Some(process);
        self.has_logged("taking requests").await;
    }

    /// A signal by its name.
    pub(crate) fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &process]).status().unwrap().success());
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    pub(crate) async fn has_logged(&self, text: &str) {
        until(text, async || self.log().contains(text).then_some(())).await;
    }

    /// What `heyan check` says: its exit code and its words.
    pub(crate) fn check(&self) -> (Option<i32>, String) {
        let output = self.command(&["check"]).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), said)
    }

    /// A client with this certificate, or none.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> Client {
        heyan::sources::install_crypto();
        let mut builder = Client::builder().no_proxy().pool_max_idle_per_host(1);
        if let Some(root) = &self.root {
            builder = builder.tls_certs_only([Certificate::from_pem(root.as_bytes()).unwrap()]);
        }
        if let Some(identity) = identity {
            let pem = format!("{}{}", identity.certificate, identity.key);
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.root.is_some() { "https" } else { "http" }, self.address)
    }

    /// Who a client is to the gateway.
    pub(crate) async fn me(&self, identity: Option<&Identity>, token: Option<&str>) -> Reply {
        let request = self.client(identity).get(self.url("/v1/me")).header("accept-language", "en");
        send(if let Some(token) = token { request.bearer_auth(token) } else { request }).await
    }
}

/// A reply, or that there was no connection.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) challenge: String,
    pub(crate) body: Value,
}

impl Reply {
    /// The agency that the caller is.
    pub(crate) fn agency(&self) -> &str {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["agency"]["id"].as_str().unwrap()
    }

    /// Whether the caller is nobody, with a detail that holds these words.
    pub(crate) fn is_refused(&self, words: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (401, Some("unauthorized")), "{self:?}");
        assert!(self.body["detail"].as_str().unwrap().contains(words), "{self:?} does not say {words}");
        assert!(self.challenge.starts_with("Bearer realm=\"heyan\""), "{self:?}");
    }

    /// Whether there was not even a connection.
    pub(crate) fn is_cut_off(&self) {
        assert_eq!(self.status, 0, "{self:?}");
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let Ok(response) = request.send().await else {
        return Reply { status: 0, challenge: String::new(), body: Value::Null };
    };
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = response.bytes().await.unwrap();
    Reply { status, challenge, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
}

/// `tokens = [...]` of one token.
pub(crate) fn token(token: &str) -> String {
    format!("tokens = [\"{}\"]", TokenHash::of(token))
}
