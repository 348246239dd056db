use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{Failure, say};
use crate::clock::{Clock as _, SystemClock};
use crate::keys::{KeyUse, Ring};
use crate::receipt::{Checker, MAX_LENGTH, Receipt, keys_of};
use crate::server::KEYS;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check a receipt without asking anybody
    Check(Arguments),
}

#[derive(Args)]
#[command(after_help = "Exit codes: 0 valid; 1 not valid; 2 wrong usage; 3 it could not be checked.")]
pub(super) struct Arguments {
    /// A file that holds the receipt, or - for standard input
    receipt: PathBuf,
    #[command(flatten)]
    keys: KeysPlace,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct KeysPlace {
    /// The keys that the gateway publishes: what /.well-known/jwks.json says, as a file
    #[arg(long, value_name = "JWKS-FILE")]
    keys: Option<PathBuf>,
    /// The folder where the gateway keeps what must survive a restart
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Check(arguments) = command;
    let checker = arguments.keys.checker()?;
    let text = read(&arguments.receipt)?;
    match checker.check(text.trim(), SystemClock.now()) {
        Ok(receipt) => {
            say(&if arguments.json { receipt.shown().to_string() } else { sentence(&receipt) });
            Ok(())
        }
        Err(why) => {
            say(&if arguments.json { why.shown(&why.to_string()).to_string() } else { format!("not valid: {why}") });
            Err(Failure::No)
        }
    }
}

impl KeysPlace {
    fn checker(&self) -> Result<Checker, Failure> {
        match (&self.keys, &self.data_dir) {
            (Some(file), _) => {
                let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                let keys = keys_of(&text).with_context(|| format!("{} cannot be used", file.display()))?;
                Ok(Checker::new(&keys))
            }
            (None, folder) => {
                // One of them is there: so says the group.
                let folder = folder.as_deref().unwrap_or(Path::new(".")).join(KEYS);
                Ok(Checker::new(Ring::open(&folder)?.checks(KeyUse::Receipt)))
            }
        }
    }
}

/// The text, as far as it matters: what is longer is no receipt.
fn read(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let most = MAX_LENGTH as u64 * 4;
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().take(most).read_to_end(&mut bytes),
        _ => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn sentence(receipt: &Receipt) -> String {
    format!(
        "valid until {}: {} of {}, for {}, as of {} (verification {}, issued by {} to {})",
        receipt.expires,
        receipt.outcome.as_str(),
        format_args!("{}/{}", receipt.matter, receipt.claim),
        receipt.purpose,
        receipt.as_of,
        receipt.verification,
        receipt.issuer,
        receipt.agency
    )
}
