use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

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
    tracing::info!(server.address = %server.address(), "taking requests");
    until_stopped()?;
    tracing::info!("stopping: running requests may end");
    server.stop().context("the gateway did not end well")?;
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub(super) fn until_stopped() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
