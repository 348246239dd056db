//! CPU per request and latency, as ratios to a bare hyper server that answers a constant, measured in the same run by the same
//! client. The gateway and the departments are processes of their own; CPU is what the kernel counted for the gateway's.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on may panic")]
#![expect(clippy::cast_precision_loss, reason = "figures to look at")]

mod yardstick;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use yardstick::{Recorder, Yardstick};

/// How many requests of each kind are measured, after a tenth as many to warm up, and how many at once.
const REQUESTS: usize = 20_000;
const AT_ONCE: usize = 16;
/// How many at once answer the question how many can be answered: enough that nobody waits for a caller.
const MANY: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(url) = told("--asking") {
        runtime.block_on(yardstick::serve(Yardstick::Asking(url)));
    } else if let Some(folder) = told("--recording") {
        runtime.block_on(yardstick::serve(Yardstick::Recording(Box::new(Recorder::new(Path::new(&folder))))));
    } else if arguments.iter().any(|argument| argument == "--bare") {
        runtime.block_on(yardstick::serve(Yardstick::Bare));
    } else {
        runtime.block_on(measure(&arguments));
    }
}

/// Starts this program again, as a yardstick, and returns its address.
fn start_yardstick(arguments: &[&str]) -> (Process, String) {
    let (process, mut lines) = Process::start(Command::new(std::env::current_exe().unwrap()).args(arguments));
    (process, lines.next().unwrap())
}

struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> (Self, impl Iterator<Item = String> + use<>) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        (Self(child), lines)
    }

    /// CPU time so far, all threads, as the kernel counts it: in ticks of 10 ms.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Figures {
    cpu: Duration,
    median: Duration,
    high: Duration,
}

/// What the simulated departments accept, and the key of what is kept.
const SECRETS: [(&str, &str); 9] = [
    ("STORE_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    ("POLICE_SECRET", "demo-police-secret"),
    ("CIVIL_AFFAIRS_FIRST_KEY", "demo-civil-first-key"),
    ("HEALTH_TOKEN", "demo-health-token"),
    ("COURT_SECRET", "demo-court-secret"),
    ("POLICE_EVENTS_TOKEN", "demo-police-events"),
    ("CIVIL_AFFAIRS_EVENTS_TOKEN", "demo-civil-affairs-events"),
    ("HEALTH_EVENTS_TOKEN", "demo-health-events"),
    ("COURT_EVENTS_TOKEN", "demo-court-events"),
];

/// Measures bare hyper, and what the arguments name of the rest; without any, all of it.
async fn measure(arguments: &[String]) {
    let named: Vec<&String> = arguments.iter().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    heyan::sources::install_crypto();
    let heyan = Path::new(env!("CARGO_BIN_EXE_heyan"));
    let directory = std::env::temp_dir().join(format!("heyan-bench-{}", std::process::id()));
    let (bare, bare_address) = start_yardstick(&["--bare"]);
    let (asking, asking_address) = start_yardstick(&["--asking", &bare_address]);
    let (asking_one, asking_three) = (format!("{asking_address}/a"), format!("{asking_address}/aaa"));
    let (recording, recording_address) = start_yardstick(&["--recording", directory.join("ledger").to_str().unwrap()]);
    let (_departments, lines) =
        Process::start(Command::new(heyan).args(["simulate", "--port", "0", "--population", "1000"]));
    let addresses: Vec<(String, String)> = lines
        .take(5)
        .map(|line| {
            let (name, address) = line.split_once(' ').unwrap();
            (name.to_owned(), address.trim().to_owned())
        })
        .collect();
    let token = heyan::access::Token::generate().unwrap();
    configure(&directory, &token);
    // It exports what it records, at the sampling that is the default, to somebody who takes everything.
    let mut telling = serve(&directory, TELLING, &addresses, ("OTEL_EXPORTER_OTLP_ENDPOINT", &bare_address));
    let (gateway, _lines) = Process::start(&mut telling);
    let (silent, _lines) = Process::start(&mut serve(&directory, SILENT, &addresses, ("OTEL_SDK_DISABLED", "true")));
    let client = Client::builder().no_proxy().build().unwrap();
    let control = &addresses.iter().find(|(name, _)| name == "control").unwrap().1;
    let people = people(&client, control).await;
    let url = "http://127.0.0.1:18099/v1/verifications";
    let silent_url = "http://127.0.0.1:18098/v1/verifications";
    for port in [TELLING, SILENT] {
        wait_for(&client, &format!("http://127.0.0.1:{port}/livez")).await;
    }
    println!(
        "{REQUESTS} requests each, {AT_ONCE} at once ({MANY} for answers/s), {} cores; CPU of the serving process alone",
        std::thread::available_parallelism().unwrap()
    );
    println!(
        "{:<28}{:>12}{:>8}{:>12}{:>12}{:>12}{:>14}",
        "", "CPU/request", "ratio", "answers", "median", "99th", "alone, median"
    );
    let one = &people[0];
    let mut yardstick = None;
    let mut measured: Vec<(&str, Duration)> = Vec::new();
    for (name, process, url, bodies) in [
        ("bare hyper", &bare, bare_address.as_str(), vec![ask("alive/alive", one, None)]),
        ("bare, asking one", &asking, asking_one.as_str(), vec![ask("alive/alive", one, None)]),
        ("bare, asking three", &asking, asking_three.as_str(), vec![ask("alive/alive", one, None)]),
        ("bare, recording", &recording, recording_address.as_str(), vec![ask("alive/alive", one, None)]),
        ("answer from cache", &gateway, url, vec![ask("alive/alive", one, Some("24h"))]),
        ("cache, no telemetry", &silent, silent_url, vec![ask("alive/alive", one, Some("24h"))]),
        (
            "one department",
            &gateway,
            url,
            people.iter().map(|person| ask("identity/registered-in", person, Some("0s"))).collect(),
        ),
        (
            "three departments",
            &gateway,
            url,
            people.iter().map(|person| ask("alive/alive", person, Some("0s"))).collect(),
        ),
    ] {
        if yardstick.is_some() && !named.is_empty() && !named.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let token = token.reveal();
        load(&client, url, token, &bodies, REQUESTS / 10, AT_ONCE).await;
        let before = process.cpu();
        let mut latencies = load(&client, url, token, &bodies, REQUESTS, AT_ONCE).await;
        let cpu = process.cpu().saturating_sub(before) / u32::try_from(REQUESTS).unwrap();
        let started = Instant::now();
        load(&client, url, token, &bodies, REQUESTS, MANY).await;
        let each_second = REQUESTS as f64 / started.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let figures = Figures { cpu, median: latencies[REQUESTS / 2], high: latencies[REQUESTS * 99 / 100] };
        let mut alone = load(&client, url, token, &bodies, 1000, 1).await;
        alone.sort_unstable();
        let yardstick = *yardstick.get_or_insert(figures.cpu);
        measured.push((name, figures.cpu));
        println!(
            "{name:<28}{:>9.1} µs{:>8.2}{each_second:>10.0}/s{:>9} µs{:>9} µs{:>11} µs",
            figures.cpu.as_nanos() as f64 / 1000.0,
            figures.cpu.as_secs_f64() / yardstick.as_secs_f64(),
            figures.median.as_micros(),
            figures.high.as_micros(),
            alone[500].as_micros(),
        );
    }
    let of = |name: &str| measured.iter().find(|(known, _)| *known == name).map(|(_, cpu)| cpu.as_secs_f64());
    if let (Some(with), Some(without)) = (of("answer from cache"), of("cache, no telemetry")) {
        println!("telemetry: {:.2} times the CPU of an answer from cache without it", with / without);
    }
    if let (Some(all), Some(recorded), Some(bare)) = (of("answer from cache"), of("bare, recording"), of("bare hyper"))
    {
        let without = all - (recorded - bare);
        println!("ledger and receipt: {:.2} times the CPU of an answer from cache without them", all / without);
    }
    fs::remove_dir_all(directory).unwrap();
}

/// Where the gateways listen that tell operators what they do, and that do not.
const TELLING: u16 = 18099;
const SILENT: u16 = 18098;

/// A gateway as a deployment runs: every question is on the disk before a department is asked, every outcome before its reply.
fn serve(directory: &Path, port: u16, addresses: &[(String, String)], (name, value): (&str, &str)) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--config"]);
    command.arg(directory.join("config/heyan.toml")).arg("--data-dir").arg(directory.join(format!("data-{port}")));
    for (name, value) in SECRETS {
        command.env(format!("HEYAN_{name}"), value);
    }
    for (name, address) in addresses {
        command.env(format!("HEYAN_{}_ADDRESS", name.to_uppercase().replace('-', "_")), address);
    }
    command.env(name, value);
    command
}

/// A question about one person.
fn ask(claim: &str, person: &Value, max_age: Option<&str>) -> String {
    let (matter, claim) = claim.split_once('/').unwrap();
    let mut body = json!({"matter": matter, "claim": claim, "purpose": "pension",
        "subjects": {"person": {"name": person["name"], "id_number": person["id_number"]}}});
    if claim == "registered-in" {
        body["parameters"] = json!({"division": "21"});
    }
    if let Some(max_age) = max_age {
        body["max_age"] = json!(max_age);
    }
    body.to_string()
}

fn configure(directory: &Path, token: &heyan::access::Token) {
    let folder = heyan::config::Folder::embedded();
    for (path, file) in folder.files() {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.text).unwrap();
    }
    let agency = format!(
        "[[agencies]]\nid = \"bench\"\nname = \"bench\"\ntokens = [\"{}\"]\nlimits = {{ per_second = 1000000, at_once = 1000000 }}\n[[agencies.grants]]\nclaims = [\"*\"]\npurposes = [\"*\"]\n",
        token.hash()
    );
    fs::create_dir_all(directory.join("config/agencies")).unwrap();
    fs::write(directory.join("config/agencies/bench.toml"), agency).unwrap();
}

async fn people(client: &Client, control: &str) -> Vec<Value> {
    let lines = client.get(format!("{control}/control/population")).send().await.unwrap().text().await.unwrap();
    let living = |person: &Value| person["died"].is_null();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).filter(living).take(500).collect()
}

async fn wait_for(client: &Client, url: &str) {
    while client.get(url).send().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn load(
    client: &Client,
    url: &str,
    token: &str,
    bodies: &[String],
    count: usize,
    at_once: usize,
) -> Vec<Duration> {
    let worker = async |number: usize| {
        let mut latencies = Vec::with_capacity(count / at_once + 1);
        for index in (number..count).step_by(at_once) {
            let request = client.post(url).bearer_auth(token).header("content-type", "application/json");
            let started = Instant::now();
            let reply = request.body(bodies[index % bodies.len()].clone()).send().await.unwrap();
            assert!(reply.status().is_success());
            reply.bytes().await.unwrap();
            latencies.push(started.elapsed());
        }
        latencies
    };
    futures_util::future::join_all((0..at_once).map(worker)).await.concat()
}
