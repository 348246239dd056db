use std::path::PathBuf;

use clap::Args;

use super::{Failure, count, say};
use crate::config::Folder;
use crate::server::Installation;

#[derive(Args)]
pub(super) struct Arguments {
    /// The gateway's file; matters, sources and agencies stand in folders beside it. Without it: the embedded defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Lay the folders `config` and `schemas` of this directory over it
    #[arg(long, value_name = "DIR")]
    overlay: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = folder(arguments.config.as_deref(), &arguments.overlay)?;
    // The embedded defaults describe the demo's departments.
    let embedded = arguments.config.is_none();
    let variable = |name: &str| std::env::var(name).ok().or_else(|| super::demo::secret(name).filter(|_| embedded));
    let installation = Installation::load(&folder, &variable).map_err(Failure::Configuration)?;
    say(&format!(
        "{}, {} with claims of {}, {}: no errors",
        count(installation.catalog.matters().len(), "matter"),
        count(installation.descriptions.len(), "source"),
        count(installation.catalog.claims().count(), "kind"),
        count(installation.settings.agencies.len(), "agency").replace("agencys", "agencies"),
    ));
    Ok(())
}

/// The folder around a file, or the embedded one, with overlays.
pub(super) fn folder(config: Option<&std::path::Path>, overlays: &[PathBuf]) -> Result<Folder, Failure> {
    let folder = match config {
        Some(file) => Folder::around(file).map_err(Failure::Configuration)?,
        None => Folder::embedded(),
    };
    overlays.iter().try_fold(folder, |folder, overlay| folder.overlay(overlay)).map_err(Failure::Configuration)
}
