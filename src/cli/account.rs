mod secret;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Failure, say};
use crate::accounts::{Account, Duty, Password, Role, UserName};
use crate::clock::{Clock as _, SystemClock};
use crate::desk::{Desk, Hand, KnownAccount, NewAccount, PasswordHash};
use crate::domain::AgencyId;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an account. Its password is asked for twice on a terminal, or read as one line of standard input
    New(New),
    /// Show the accounts
    List(List),
    /// Let nobody sign in with an account any more; its sessions end
    Disable(Change),
    /// Let somebody sign in with an account again
    Enable(Change),
    /// Give an account another password, read as for a new one; its sessions end
    Password(Change),
}

#[derive(Args)]
pub(super) struct New {
    /// By what its owner signs in: letters, digits, dots, hyphens, underscores, at signs
    user: UserName,
    /// What it is for: committee, operator or supervisor
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// The agency on whose grants a committee's worker verifies, by its id in the configuration
    #[arg(long, value_name = "ID", required_if_eq("role", "committee"))]
    agency: Option<String>,
    /// As colleagues call its owner; without it: the user's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// It has no password: its owner signs in by OIDC alone
    #[arg(long)]
    no_password: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Change {
    /// Whose account
    user: UserName,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct Place {
    /// The folder where the gateway keeps what must survive a restart
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The most characters of a person's name.
const LONGEST_NAME: usize = 50;

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::New(arguments) => new(arguments).await,
            Command::List(arguments) => list(arguments).await,
            Command::Disable(arguments) => disable(arguments, true).await,
            Command::Enable(arguments) => disable(arguments, false).await,
            Command::Password(arguments) => password(arguments).await,
        }
    })
}

async fn new(arguments: &New) -> Result<(), Failure> {
    let New { user, role, agency, name, no_password, place } = arguments;
    let agency = agency.as_ref().map(|agency| agency.parse().map(AgencyId)).transpose();
    let agency = agency.map_err(|error| Failure::Usage(anyhow!("--agency: {error}")))?;
    let duty = Duty::new(*role, agency).ok_or_else(|| {
        Failure::Usage(anyhow!(
            "--agency belongs to a committee's account, and to no other: say it there, and only there"
        ))
    })?;
    let name = name.clone().unwrap_or_else(|| user.to_string());
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Failure::Usage(anyhow!("--name: a name has 1 to {LONGEST_NAME} characters, on one line")));
    }
    let desk = open(place)?;
    if desk.account(user).await?.is_some() {
        return Err(taken(user));
    }
    let password = if *no_password { None } else { Some(hash(user).await?) };
    let account = Account { user: user.clone(), name, duty };
    if !desk.add_account(NewAccount { account, password }, SystemClock.now(), Some(hand())).await? {
        return Err(taken(user));
    }
    tell(place, &desk, user, "made the account").await
}

async fn list(arguments: &List) -> Result<(), Failure> {
    let accounts = open(&arguments.place)?.accounts().await?;
    if arguments.place.json {
        say(&json!({"accounts": accounts.iter().map(shown).collect::<Vec<_>>()}).to_string());
        return Ok(());
    }
    for known in &accounts {
        let KnownAccount { account, password, disabled, signed_in, .. } = known;
        let agency = account.duty.agency().map(|agency| format!(" of {agency}")).unwrap_or_default();
        let seen = signed_in.map_or_else(|| "never signed in".to_owned(), |at| format!("signed in {at:.0}"));
        let state = disabled.map(|at| format!(", disabled {at:.0}")).unwrap_or_default();
        let state = if password.is_none() { format!(", without password{state}") } else { state };
        say(&format!(
            "{:<24}  {}{agency}, {}, {seen}{state}",
            account.user.as_str(),
            account.duty.role(),
            account.name
        ));
    }
    Ok(())
}

async fn disable(arguments: &Change, disable: bool) -> Result<(), Failure> {
    let Change { user, place } = arguments;
    let desk = open(place)?;
    let since = disable.then(|| SystemClock.now());
    if !desk.disable_account(user, since, Some(hand())).await? {
        return Err(unknown(user));
    }
    let done = if disable {
        "nobody can sign in any more with the account"
    } else {
        "somebody can sign in again with the account"
    };
    tell(place, &desk, user, done).await
}

async fn password(arguments: &Change) -> Result<(), Failure> {
    let Change { user, place } = arguments;
    let desk = open(place)?;
    if desk.account(user).await?.is_none() {
        return Err(unknown(user));
    }
    if desk.set_password(user, hash(user).await?, Some(hand())).await?.is_none() {
        return Err(unknown(user));
    }
    tell(place, &desk, user, "changed the password of the account").await
}

/// The desk of a folder, opened by its owner: what another user made there, the gateway could not read.
fn open(place: &Place) -> Result<Desk, Failure> {
    let folder: &Path = &place.data_dir;
    let owner =
        folder.metadata().with_context(|| format!("{} cannot be used", folder.display())).map_err(Failure::Usage)?;
    if owner.uid() != rustix::process::geteuid().as_raw() {
        let folder = folder.display();
        return Err(Failure::Usage(anyhow!(
            "{folder} is another user's: run this as the user as whom the gateway runs"
        )));
    }
    Ok(Desk::open(folder)?)
}

/// A password that may be this user's, hashed.
async fn hash(user: &UserName) -> Result<PasswordHash, Failure> {
    let password: Password = secret::read().await?;
    password.check(user).map_err(|weak| Failure::Usage(weak.into()))?;
    Ok(PasswordHash::of(&password)?)
}

/// As the ledger names whoever runs this.
fn hand() -> Hand {
    Hand { by: format!("heyan account, uid {}", rustix::process::getuid().as_raw()), at: SystemClock.now() }
}

async fn tell(place: &Place, desk: &Desk, user: &UserName, done: &str) -> Result<(), Failure> {
    let known = desk.account(user).await?.ok_or_else(|| unknown(user))?;
    if place.json {
        say(&shown(&known).to_string());
    } else {
        say(&format!("{done} {user} ({})", known.account.duty.role()));
    }
    Ok(())
}

fn shown(known: &KnownAccount) -> Value {
    let KnownAccount { account, password, created, disabled, signed_in, .. } = known;
    json!({
        "user": account.user.as_str(), "name": account.name, "role": account.duty.role().as_str(),
        "agency": account.duty.agency().map(ToString::to_string), "password": password.is_some(),
        "created": created.to_string(), "disabled": disabled.map(|at| at.to_string()),
        "signed_in": signed_in.map(|at| at.to_string())
    })
}

fn taken(user: &UserName) -> Failure {
    Failure::Usage(anyhow!("there is an account of {user} already; heyan account password gives it another password"))
}

fn unknown(user: &UserName) -> Failure {
    Failure::Usage(anyhow!("there is no account of {user}; heyan account list shows those that there are"))
}
