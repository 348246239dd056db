use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::running::Running;
use super::{Failure, check};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Located, PlainHttp, SecretPlace};
use crate::keys::Lacking;
use crate::server::{Installation, Server, open_desk, open_keys, open_ledger, open_store};

#[derive(Args)]
pub(super) struct Arguments {
    /// The gateway's file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Lay the folders `config` and `schemas` of this directory over it
    #[arg(long, value_name = "DIR")]
    overlay: Vec<PathBuf>,
    /// Listen here instead of where the file says
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Keep here what must survive a restart, instead of where the file says; its key stands in `HEYAN_STORE_KEY` unless the
    /// file says otherwise
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Keep all of that in memory, to try things out: a restart forgets it, the ledger of who asked what too
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,
    /// Begin another ledger where there was one that is gone, and nothing of it is left; see docs/ledger.md
    #[arg(long)]
    new_ledger: bool,
    /// Take plain HTTP from other machines too, because a proxy before the gateway speaks TLS with them
    #[arg(long)]
    behind_tls_proxy: bool,
}

impl Arguments {
    fn load(&self, lacking: Lacking) -> Result<Installation, Failure> {
        let folder = check::folder(Some(&self.config), &self.overlay)?;
        let mut installation =
            Installation::load(&folder, &|name| std::env::var(name).ok()).map_err(Failure::Configuration)?;
        let settings = &mut installation.settings;
        settings.listen = self.listen.unwrap_or(settings.listen);
        if self.behind_tls_proxy {
            settings.plain_http = PlainHttp::BehindTlsProxy;
        }
        settings.check_door().map_err(|wrong| Failure::Configuration(vec![wrong]))?;
        if let Some(data_dir) = &self.data_dir {
            settings.data_dir = Some(data_dir.clone());
            let key = SecretPlace::Variable { env: "HEYAN_STORE_KEY".to_owned() };
            settings.store_key.get_or_insert(Located::by_argument("--data-dir", key));
        }
        if self.in_memory && settings.data_dir.is_some() {
            return Err(Failure::Usage(anyhow!("[durable] names a folder: leave out either that or --in-memory")));
        }
        // What cannot be recorded is not asked; and what a restart forgets is not recorded.
        if settings.data_dir.is_none() && !settings.in_memory && !self.in_memory {
            return Err(Failure::Usage(anyhow!(NOWHERE)));
        }
        check::warn(&installation);
        installation.keys = open_keys(&installation.settings, lacking, SystemClock.now())?;
        Ok(installation)
    }
}

const NOWHERE: &str = "nothing says where it is to stay on record who asked what: name a folder, with --data-dir DIR or [durable] folder. \
    To try things out without one, say --in-memory or [durable] in_memory = true: then a restart forgets all of it";

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let installation = arguments.load(Lacking::Made)?;
    let (listen, data_dir) = (installation.settings.listen, installation.settings.data_dir.clone());
    let store = Arc::new(open_store(&installation.settings, Arc::new(SystemClock))?);
    let ledger = Arc::new(open_ledger(&installation, &store, arguments.new_ledger, SystemClock.now())?);
    if data_dir.is_none() {
        tracing::warn!("open questions are in memory alone, and a restart forgets them: [durable] folder keeps them");
        tracing::warn!("the ledger is in memory alone, and a restart forgets it: [durable] folder keeps it");
    }
    if installation.keys.is_none() {
        tracing::warn!(
            "keys are in memory alone, and nothing checks after a restart what they signed: [keys] folder keeps them"
        );
    }
    let desk = open_desk(&installation.settings)?;
    let running = Running::new(data_dir.as_deref())?;
    let server = Server::start(installation, Arc::new(SystemClock), store, ledger, desk)
        .with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(server.address = %server.address(), server.tls = server.speaks_tls(), "taking requests");
    running.until_stopped(&server, || arguments.load(Lacking::Refused));
    tracing::info!("stopping: running requests may end");
    server.stop().context("the gateway did not end well")?;
    Ok(())
}
