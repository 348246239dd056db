mod words;

use std::path::PathBuf;

use clap::Args;

use super::{Failure, count, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Folder;
use crate::diagnostic::Diagnostic;
use crate::server::Installation;
use crate::sources::{self, Description, Probed};

#[derive(Args)]
pub(super) struct Arguments {
    /// The gateway's file; matters, sources and agencies stand in folders beside it. Without it: the embedded defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Lay the folders `config` and `schemas` of this directory over it
    #[arg(long, value_name = "DIR")]
    overlay: Vec<PathBuf>,
    /// Then see whether each department can be asked: address, connection, TLS, credentials, health operation, clock. Nobody's
    /// data is asked for
    #[arg(long)]
    probe: bool,
    /// Print what the probe finds as JSON
    #[arg(long, requires = "probe")]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = folder(arguments.config.as_deref(), &arguments.overlay)?;
    // The embedded defaults describe the demo's departments.
    let embedded = arguments.config.is_none();
    let variable = |name: &str| std::env::var(name).ok().or_else(|| super::demo::secret(name).filter(|_| embedded));
    let installation = Installation::load(&folder, &variable).map_err(Failure::Configuration)?;
    check_door(&installation)?;
    if !arguments.json {
        let warnings = warn(&installation);
        say(&summary(&installation, warnings));
    }
    if arguments.probe { probe(&installation, arguments.json) } else { Ok(()) }
}

/// What a gateway that runs would put up with, and somebody should know before it does: certificates that have expired or soon
/// will, and requests in the clear.
fn check_door(installation: &Installation) -> Result<(), Failure> {
    let now = SystemClock.now();
    let mut wrong: Vec<Diagnostic> = installation.settings.check_door().err().into_iter().collect();
    if let Some(tls) = &installation.tls {
        wrong.extend(tls.over(now));
        tls.soon(now).iter().for_each(|soon| tracing::warn!("{soon}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Configuration(wrong)) }
}

/// Says what sources let others see, in what loads all the same. Returns how much that is.
pub(super) fn warn(installation: &Installation) -> usize {
    warnings(installation).inspect(|warning| tracing::warn!("{warning}")).count()
}

fn warnings(installation: &Installation) -> impl Iterator<Item = &Diagnostic> {
    installation.descriptions.iter().flat_map(Description::warnings)
}

fn summary(installation: &Installation, warnings: usize) -> String {
    let warnings = if warnings == 0 { String::new() } else { format!(", {}", count(warnings, "warning")) };
    format!(
        "{}, {} with claims of {}, {}: no errors{warnings}",
        count(installation.catalog.matters().len(), "matter"),
        count(installation.descriptions.len(), "source"),
        count(installation.catalog.claims().count(), "kind"),
        count(installation.settings.agencies.len(), "agency").replace("agencys", "agencies"),
    )
}

/// Calls every department, and says of each what is wrong with it.
fn probe(installation: &Installation, json: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let probed = runtime.block_on(sources::probe(&installation.descriptions, &SystemClock));
    if json {
        say(&words::json(&probed, warnings(installation)).to_string());
    } else {
        probed.iter().flat_map(words::lines).for_each(|line| say(&line));
    }
    if probed.iter().all(Probed::is_well) { Ok(()) } else { Err(Failure::No) }
}

/// The folder around a file, or the embedded one, with overlays.
pub(super) fn folder(config: Option<&std::path::Path>, overlays: &[PathBuf]) -> Result<Folder, Failure> {
    let folder = match config {
        Some(file) => Folder::around(file).map_err(Failure::Configuration)?,
        None => Folder::embedded(),
    };
    overlays.iter().try_fold(folder, |folder, overlay| folder.overlay(overlay)).map_err(Failure::Configuration)
}
