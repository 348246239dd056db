mod samples;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::json;

use self::samples::Sample;
use super::signals::Signals;
use super::{Failure, check, say};
use crate::access::Token;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::AgencyId;
use crate::rights::{Agency, ClaimPattern, Grant, Purposes};
use crate::server::{Installation, Server};
use crate::simulator::{Options, Simulator};

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
    let folder = check::folder(None, &arguments.overlay)?;
    let departments = Departments::start(arguments)?;
    let variable =
        |name: &str| departments.variable(name).or_else(|| std::env::var(name).ok()).or_else(|| secret(name));
    let mut installation = Installation::load(&folder, &variable).map_err(Failure::Configuration)?;
    let token = Token::generate()?;
    installation.settings.listen = arguments.listen;
    installation.settings.agencies.push((tester()?, vec![token.hash()]));
    let server = Server::start(installation, Arc::new(SystemClock))
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", arguments.listen))?;
    let gateway = format!("http://{}", server.address());
    let samples = samples::of(&departments.cast)?;
    let mut signals = Signals::catch()?;
    if arguments.json {
        let line = json!({
            "gateway": gateway,
            "token": token.reveal(),
            "sources": departments.sources,
            "control": departments.control,
            "samples": samples.iter().map(Sample::json).collect::<Vec<_>>(),
        });
        say(&line.to_string());
    } else {
        print(&gateway, &token, &departments, &samples);
    }
    signals.wait();
    server.stop().context("the gateway did not end well")?;
    departments.stop();
    Ok(())
}

/// The variables that the embedded configuration names, as the demo's departments want them.
pub(super) fn secret(name: &str) -> Option<String> {
    SECRETS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// An agency that may ask everything.
fn tester() -> Result<Agency, Failure> {
    let id = "demo".parse().map_err(|_| anyhow!("no id"))?;
    let grants = vec![Grant { claims: vec![ClaimPattern::Every], purposes: Purposes::Every }];
    Ok(Agency { id: AgencyId(id), name: "演示用证部门".to_owned(), grants })
}

/// The simulated departments, on a thread of their own.
struct Departments {
    sources: BTreeMap<String, String>,
    control: String,
    cast: Vec<crate::simulator::Case>,
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
            gateway: None,
            event_tokens: BTreeMap::new(),
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
                let known = (simulator.sources(), simulator.control(), simulator.cast().to_vec());
                if ready.send(Ok(known)).is_ok() {
                    // Dropping the other end means the same as a signal.
                    let _ = ended.await;
                }
                simulator.stop().await;
            });
        })?;
        let (sources, control, cast) = is_ready.recv()?.context("the departments cannot be started")?;
        Ok(Self { sources, control, cast, end, thread })
    }

    /// The address of a department, as the variable that its source's file names.
    fn variable(&self, name: &str) -> Option<String> {
        let source = name.strip_prefix("HEYAN_")?.strip_suffix("_ADDRESS")?.to_lowercase().replace('_', "-");
        self.sources.get(&source).cloned()
    }

    fn stop(self) {
        // The departments may have ended by themselves.
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

fn print(gateway: &str, token: &Token, departments: &Departments, samples: &[Sample]) {
    say("heyan 核验 · demo: everybody in it is invented\n");
    say(&format!("gateway        {gateway}"));
    for (source, address) in &departments.sources {
        say(&format!("{source:<14} {address}"));
    }
    say(&format!("control        {}", departments.control));
    say(&format!("token          {}\n", token.reveal()));
    say("Paste this first, then any of the calls below; each answers as its comment says.\n");
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
