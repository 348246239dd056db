mod folder;
mod people;
mod samples;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::json;

use self::folder::TemporaryFolder;
use self::people::Person;
use self::samples::Sample;
use super::running::Running;
use super::{Failure, check, say};
use crate::access::Token;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{AgencyLimits, Located, Member, SecretPlace};
use crate::domain::AgencyId;
use crate::keys::Lacking;
use crate::rights::{Agency, ClaimPattern, Grant, Purposes, Terms};
use crate::server::{Installation, Server, open_desk, open_keys, open_ledger, open_store};
use crate::simulator::{Case, EVENT_TOKENS, Handle, Options, Simulator};
use crate::store::StoreKey;
use crate::watch::Policy;

#[derive(Args)]
pub(super) struct Arguments {
    /// Where the gateway listens; port 0: any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// How many people
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=2_000_000))]
    population: u32,
    /// The same seed makes the same people
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Lay the folders `config` and `schemas` of this directory over the demo's own
    #[arg(long, value_name = "DIR")]
    overlay: Vec<PathBuf>,
    /// Keep here what must survive a restart; without it, it is gone when the demo ends
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Begin another ledger where there was one that is gone
    #[arg(long, requires = "data_dir")]
    new_ledger: bool,
    /// Print one line of JSON once ready
    #[arg(long)]
    json: bool,
}

/// What the demo's departments are told to accept; real installations keep such things out of the program.
const SECRETS: [(&str, &str); 4] = [
    ("HEYAN_POLICE_SECRET", "demo-police-secret"),
    ("HEYAN_CIVIL_AFFAIRS_FIRST_KEY", "demo-civil-first-key"),
    ("HEYAN_HEALTH_TOKEN", "demo-health-token"),
    ("HEYAN_COURT_SECRET", "demo-court-secret"),
];

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let departments = Departments::start(arguments)?;
    let token = Token::generate()?;
    // It goes last, when nobody has anything in it open.
    let folder = if arguments.data_dir.is_none() { Some(TemporaryFolder::make()?) } else { None };
    let temporary = folder.as_ref().map(TemporaryFolder::path);
    let load = |lacking| load(arguments, temporary, &departments, &token, lacking);
    let installation = load(Lacking::Made)?;
    let store = Arc::new(open_store(&installation.settings, Arc::new(SystemClock))?);
    let ledger = Arc::new(open_ledger(&installation, &store, arguments.new_ledger, SystemClock.now())?);
    let desk = open_desk(&installation.settings)?;
    let people = people::move_in(&desk)?;
    let running = Running::new(arguments.data_dir.as_deref())?;
    let server = Server::start(installation, Arc::new(SystemClock), store, ledger, desk)
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", arguments.listen))?;
    departments.handle.set_gateway(server.address().into());
    let gateway = format!("{}://{}", if server.speaks_tls() { "https" } else { "http" }, server.address());
    let is_open = !server.speaks_tls() && !server.address().ip().to_canonical().is_loopback();
    if is_open {
        tracing::warn!(
            "the demo speaks plain HTTP to other machines too: everybody in it is invented, and anybody there can read its token.              `heyan serve` does that with TLS alone"
        );
    }
    let samples = samples::of(&departments.cast)?;
    if arguments.json {
        let line = json!({
            "gateway": gateway,
            "token": token.reveal(),
            "sources": departments.sources,
            "control": departments.control,
            "pages": {"committee": format!("{gateway}/"), "operator": format!("{gateway}/operator")},
            "accounts": people.iter().map(Person::json).collect::<Vec<_>>(),
            "samples": samples.iter().map(Sample::json).collect::<Vec<_>>(),
        });
        say(&line.to_string());
    } else {
        print(&gateway, &token, &departments, &samples, &people);
    }
    running.until_stopped(&server, || load(Lacking::Refused));
    server.stop().context("the gateway did not end well")?;
    departments.stop();
    Ok(())
}

/// The variables that the embedded configuration names, as the demo's departments want them.
pub(super) fn secret(name: &str) -> Option<String> {
    let event_token = || {
        let source = source_of(name, "_EVENTS_TOKEN")?;
        EVENT_TOKENS.iter().find(|(known, _)| *known == source).map(|(_, token)| (*token).to_owned())
    };
    let known = SECRETS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    known.or_else(event_token)
}

/// The source that a variable such as `HEYAN_CIVIL_AFFAIRS_ADDRESS` is about.
fn source_of(name: &str, ending: &str) -> Option<String> {
    Some(name.strip_prefix("HEYAN_")?.strip_suffix(ending)?.to_lowercase().replace('_', "-"))
}

fn load(
    arguments: &Arguments,
    temporary: Option<&Path>,
    departments: &Departments,
    token: &Token,
    lacking: Lacking,
) -> Result<Installation, Failure> {
    let folder = check::folder(None, &arguments.overlay)?;
    let variable =
        |name: &str| departments.variable(name).or_else(|| std::env::var(name).ok()).or_else(|| secret(name));
    let mut installation = Installation::load(&folder, &variable).map_err(Failure::Configuration)?;
    let settings = &mut installation.settings;
    settings.listen = arguments.listen;
    settings.agencies.push(tester(token)?);
    settings.agencies.push(people::committee()?);
    // A tester may guess, unless an overlay says when that is too much.
    if settings.watch == Policy::default() {
        settings.watch = Policy::WIDE;
    }
    // Unless an overlay has its own.
    let temporary = temporary.filter(|_| settings.data_dir.is_none() && !settings.in_memory);
    if let Some(data_dir) = arguments.data_dir.as_deref().or(temporary) {
        settings.data_dir = Some(data_dir.to_owned());
        if settings.store_key.is_none() {
            let key = SecretPlace::File { file: key_beside(data_dir)? };
            settings.store_key = Some(Located::by_argument("--data-dir", key));
        }
    }
    installation.keys = open_keys(&installation.settings, lacking, SystemClock.now())?;
    Ok(installation)
}

/// An agency with a token that may ask everything.
fn tester(token: &Token) -> Result<Member, Failure> {
    Ok(Member { tokens: vec![token.hash().into()], ..member("demo", "演示用证部门")? })
}

/// An agency that may ask everything, and as often as it likes.
fn member(id: &str, name: &str) -> Result<Member, Failure> {
    let id = AgencyId(id.parse().map_err(|_| anyhow!("no id"))?);
    let grants = vec![Grant::new(vec![ClaimPattern::Every], Purposes::Every, true, Terms::default())];
    let agency = Agency { id, name: name.to_owned(), grants, has_callback: false };
    let limits = AgencyLimits { per_second: u32::MAX, at_once: u32::MAX };
    Ok(Member { agency, tokens: Vec::new(), certificates: Vec::new(), limits, callback: None })
}

/// The demo's key lies beside what it opens: everybody in there is invented.
fn key_beside(data_dir: &Path) -> Result<PathBuf, Failure> {
    let file = data_dir.join("store.key");
    if !file.exists() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
        made.with_context(|| format!("cannot make the folder {}", data_dir.display()))?;
        let mut options = fs::OpenOptions::new();
        let mut new = options.write(true).create_new(true).mode(0o600).open(&file)?;
        new.write_all(StoreKey::generate()?.reveal().as_bytes())?;
    }
    Ok(file)
}

/// The simulated departments, on a thread of their own.
struct Departments {
    sources: BTreeMap<String, String>,
    control: String,
    cast: Vec<Case>,
    handle: Handle,
    end: tokio::sync::oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Departments {
    fn start(arguments: &Arguments) -> Result<Self, Failure> {
        let options = Options {
            population: arguments.population as usize,
            seed: arguments.seed,
            today: SystemClock.today(),
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: None,
            // It isn't there yet; they are told once it is.
            gateway: None,
            faults: Vec::new(),
            court_delay: Duration::from_millis(300),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::Builder::new().name("departments".to_owned()).spawn(move || {
            runtime.block_on(async {
                let simulator = match Simulator::start(options).await {
                    Ok(simulator) => simulator,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let cast = simulator.cast().to_vec();
                let known = (simulator.sources(), simulator.control(), cast, simulator.handle());
                if ready.send(Ok(known)).is_ok() {
                    // Dropping the other end means the same as a signal.
                    let _ = ended.await;
                }
                simulator.stop().await;
            });
        })?;
        let (sources, control, cast, handle) = is_ready.recv()?.context("the departments cannot be started")?;
        Ok(Self { sources, control, cast, handle, end, thread })
    }

    /// The address of a department, as the variable that its source's file names.
    fn variable(&self, name: &str) -> Option<String> {
        self.sources.get(&source_of(name, "_ADDRESS")?).cloned()
    }

    fn stop(self) {
        // The departments may have ended by themselves.
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

fn print(gateway: &str, token: &Token, departments: &Departments, samples: &[Sample], people: &[Person]) {
    say("heyan 核验 · demo: everybody in it is invented\n");
    say(&format!("gateway        {gateway}"));
    for (source, address) in &departments.sources {
        say(&format!("{source:<14} {address}"));
    }
    say(&format!("control        {}", departments.control));
    say(&format!("token          {}\n", token.reveal()));
    say("Open the gateway's address in a browser and sign in:\n");
    for person in people {
        say(&person.line());
    }
    say("\nPaste this first, then any of the calls below; each answers as its comment says.\n");
    say(&format!("export HEYAN_GATEWAY={gateway} HEYAN_TOKEN={}\n", token.reveal()));
    say("# What is behind a demand?");
    say(
        "curl -s $HEYAN_GATEWAY/v1/triage -H 'content-type: application/json' \\\n  -d '{\"text\": \"银行非要我开个证明证明我妈是我妈\"}'; echo\n",
    );
    for sample in samples {
        say(&format!("# {} → {}", sample.case, sample.outcome));
        say(&format!(
            "curl -s $HEYAN_GATEWAY/v1/verifications -H \"authorization: Bearer $HEYAN_TOKEN\" \\\n  -H 'content-type: application/json' -d '{}'; echo\n",
            sample.request
        ));
    }
    say("Ctrl-C ends the demo.");
}
