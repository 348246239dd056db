use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::signals::Signals;
use super::{Failure, check};
use crate::clock::SystemClock;
use crate::server::{Installation, Server};

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
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = check::folder(Some(&arguments.config), &arguments.overlay)?;
    let mut installation =
        Installation::load(&folder, &|name| std::env::var(name).ok()).map_err(Failure::Configuration)?;
    if let Some(listen) = arguments.listen {
        installation.settings.listen = listen;
    }
    let listen = installation.settings.listen;
    let server =
        Server::start(installation, Arc::new(SystemClock)).with_context(|| format!("cannot listen on {listen}"))?;
    let mut signals = Signals::catch()?;
    tracing::info!(server.address = %server.address(), "taking requests");
    signals.wait();
    tracing::info!("stopping: running requests may end");
    server.stop().context("the gateway did not end well")?;
    Ok(())
}
