//! One life of a gateway with everything that happens in one, and the search through what is left of it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::people::{People, text};
use super::scanner::Scanner;
use super::tap::{Ear, Tap};
use super::town::{Departments, Gateway, Reply, agency, client, free_address, is_divorced, is_named, question, until};

/// A gateway between departments and agencies, all of whose words are written down.
pub(super) struct Life {
    pub(super) departments: Departments,
    taps: Vec<(String, Tap)>,
    pub(super) gateway: Gateway,
    fund: Ear,
    /// Takes what is exported.
    collector: Ear,
    people: People,
    /// Each piece that came out, and where.
    out: RefCell<Vec<(String, Vec<u8>)>>,
}

/// The descriptions of the departments. In this life they are not left alone for long when they fail.
const SOURCES: [(&str, &str); 4] = [
    ("police", include_str!("../../config/sources/police.toml")),
    ("civil-affairs", include_str!("../../config/sources/civil-affairs.toml")),
    ("health", include_str!("../../config/sources/health.toml")),
    ("court", include_str!("../../config/sources/court.toml")),
];

impl Life {
    async fn begin() -> Self {
        let address = free_address();
        let url = format!("http://{address}");
        let arguments = ["--population", "700", "--court-delay", "1500", "--gateway", &url];
        let mut departments = Departments::start(&arguments);
        let people = People::new(departments.population().await);
        let tap = |(name, address): &mut (String, String)| {
            let tap = Tap::before(address);
            address.clone_from(&tap.address);
            (name.clone(), tap)
        };
        let taps = departments.sources.iter_mut().map(tap).collect();
        let (fund, collector) = (Ear::open(), Ear::open());
        let callback = format!(
            "limits = {{ per_second = 1000000, at_once = 100000 }}\n\
             callback = {{ address = \"{}\", secret = {{ env = \"FUND_SECRET\" }} }}",
            fund.address
        );
        let nobody = agency("nobody", false, "").replace("claims = [\"*\"]", "claims = [\"alive/alive\"]");
        // The watch on guessing has tests of its own; it would slow this life down.
        let changes = [
            ("again_after = \"30s\"", "again_after = \"1s\""),
            ("names = { slow = 3, stop = 6 }", "names = { slow = 30, stop = 60 }"),
            ("counterparts = { slow = 6, stop = 12 }", "counterparts = { slow = 30, stop = 60 }"),
            ("of = 20 }", "of = 100000 }"),
            ("of = 30 }", "of = 100000 }"),
            ("of = 200 }", "of = 100000 }"),
            ("of = 200 }", "of = 100000 }"),
        ];
        let mut gateway = Gateway::new(&departments, &[agency("fund", true, &callback), nobody], &changes);
        gateway.environment.extend(
            [
                ("HEYAN_LOG", "trace"),
                ("RUST_BACKTRACE", "full"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str()),
                ("OTEL_TRACES_SAMPLER", "always_on"),
                ("OTEL_BSP_SCHEDULE_DELAY", "100"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        for (path, text) in SOURCES {
            let hasty = text.replacen("concurrency = 256", "breaker = { failures = 1000, open = \"50ms\" }", 1);
            assert_ne!(hasty, text);
            gateway.write(&format!("config/sources/{path}.toml"), &hasty);
        }
        gateway.address = address;
        gateway.start().await;
        Self { departments, taps, gateway, fund, collector, people, out: RefCell::default() }
    }

    /// Sends a request; the reply as it came is written down.
    pub(super) async fn send(&self, what: &str, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut piece = format!("{headers:?}\n").into_bytes();
        headers.values().for_each(|value| piece.extend_from_slice(value.as_bytes()));
        let body = response.bytes().await.unwrap();
        piece.extend_from_slice(&body);
        self.out.borrow_mut().push((format!("the reply to {what}"), piece));
        Reply { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    pub(super) async fn ask(&self, what: &str, question: &Value, headers: &[(&str, &str)]) -> Reply {
        self.send(what, self.gateway.post("fund", question, headers)).await
    }

    pub(super) async fn post(&self, what: &str, path: &str, token: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.gateway.request(Method::POST, path, token).header("content-type", "application/json");
        self.send(what, request.body(body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send(path, self.gateway.request(Method::GET, path, "fund")).await
    }

    /// Living people who are no words.
    pub(super) fn living(&self) -> Vec<&Value> {
        let is_plain = |person: &&Value| person["died"].is_null() && person["unknown_to"] == json!({});
        self.people.all.iter().filter(is_plain).collect()
    }

    /// A question for each claim of the catalog.
    pub(super) async fn questions(&self, people: &[&Value]) -> Vec<Value> {
        let matters = self.get("/v1/matters").await.body;
        let mut questions = Vec::new();
        for matter in matters["matters"].as_array().unwrap() {
            for claim in matter["claims"].as_array().unwrap() {
                let start = questions.len();
                let roles = claim["roles"].as_array().unwrap().iter().enumerate();
                let person = |index: usize| {
                    let person = people[(start + index) % people.len()];
                    json!({"name": person["name"], "id_number": person["id_number"]})
                };
                let subjects: Value = roles.map(|(index, role)| (text_of(role), person(index))).collect();
                let parameters = claim["parameters"].as_array().unwrap().iter();
                let parameters: Value = parameters.map(|one| (text_of(&one["name"]), parameter(one))).collect();
                questions.push(json!({
                    "matter": matter["id"], "claim": claim["id"], "subjects": subjects, "parameters": parameters,
                    "purpose": "pension", "case": "2026-7", "officer": format!("officer {start}"), "legal_basis": "条例第三条",
                }));
            }
        }
        questions
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn parameter(description: &Value) -> Value {
    match description["kind"].as_str().unwrap() {
        "date" => json!("2020-01-01"),
        "choice" => description["values"][0].clone(),
        "integer" => description["range"][0].clone(),
        "division" => json!("210102"),
        _ => json!("x"),
    }
}

#[tokio::test]
async fn nobody_is_named_in_anything_that_is_written() {
    let mut life = Life::begin().await;
    println!("{} people; {} more have names that are words of ours", life.people.all.len(), life.people.words);
    assert!(life.people.words * 20 < life.people.all.len(), "{} names are words", life.people.words);
    life.is_asked_everything().await;
    life.is_asked_nonsense().await;
    life.is_told_of_events().await;
    life.has_bad_departments().await;
    let pending = life.has_questions_that_wait().await;
    life.search_folder("while it runs");
    life.gateway.kill();
    life.search_folder("after it was killed");
    life.gateway.start().await;
    for id in &pending {
        let ended = async || (life.get(&format!("/v1/verifications/{id}")).await.status == 200).then_some(());
        until("a question is answered", ended).await;
    }
    let heard =
        async || (life.fund.heard().windows(4).filter(|some| *some == b"POST").count() >= pending.len()).then_some(());
    until("the fund is told", heard).await;
    assert_eq!(life.get("/metrics").await.status, 200);
    life.is_operated().await;
    life.gateway.signal("TERM");
    assert!(life.gateway.ended().await.success());
    life.search_folder("after it has ended");
    life.search();
}

impl Life {
    /// Each claim about several people: known ones, with another's name, from the cache, without a grant.
    async fn is_asked_everything(&self) {
        let people = self.living();
        let offsets = [0, 60, 120];
        for offset in offsets {
            let questions = self.questions(&people[offset..]).await;
            join_all(questions.iter().map(|question| self.ask("a question", question, &[]))).await;
            join_all(questions.iter().map(|question| self.ask("the same", question, &[]))).await;
            join_all(
                questions.iter().map(|question| {
                    self.send("a question without a grant", self.gateway.post("nobody", question, &[]))
                }),
            )
            .await;
        }
        for (index, person) in people.iter().enumerate().skip(200).take(80) {
            let mut wrong = is_named(person);
            wrong["subjects"]["person"]["name"] = people[index + 1]["name"].clone();
            let reply = self.ask("a wrong name", &wrong, &[("accept-language", "en")]).await;
            let is_namesake = people[index + 1]["name"] == person["name"];
            assert!(is_namesake || reply.body["outcome"] == "mismatch", "{reply:?}");
            let key = [("idempotency-key", text(person, "id_number"))];
            let first = self.ask("a question with a key", &is_named(person), &key).await;
            let again = self.ask("the same with its key", &is_named(person), &key).await;
            let other = self.ask("another with its key", &wrong, &key).await;
            assert_eq!((first.status, again.status, &again.body), (200, 200, &first.body), "{first:?}");
            assert!(is_namesake || other.status == 409, "{other:?}");
            let receipt = &first.body["receipt"];
            let check = self.post("a receipt", "/v1/receipts/check", "", json!({"receipt": receipt}).to_string()).await;
            assert_eq!(check.body["valid"], true, "{check:?}");
            let forged = json!({"receipt": format!("{}.{}", text(person, "name"), receipt.as_str().unwrap())});
            self.post("a forged receipt", "/v1/receipts/check", "", forged.to_string()).await;
        }
        for path in ["/v1/me", "/v1/sources", "/v1/ledger/checkpoint", "/v1/ledger/proof/3", "/openapi.json", "/readyz"]
        {
            assert_eq!(self.get(path).await.status, 200, "{path}");
        }
    }

    async fn is_told_of_events(&self) {
        for person in self.living().into_iter().skip(330).take(20) {
            let number = text(person, "id_number");
            let events = [
                json!({"subjects": [number], "kind": "death"}),
                json!({"subjects": [number, text(person, "name")], "kind": number, "on": number}),
                json!({"subjects": number, number: number}),
            ];
            for event in events {
                self.post("an event", "/v1/sources/police/events", "demo-police-events", event.to_string()).await;
            }
        }
        let person = self.living()[350];
        let today = heyan::clock::day_of(jiff::Timestamp::now()).to_string();
        let sources = ["police", "civil-affairs", "health", "court"];
        let death = json!({"kind": "death", "persons": [person["id_number"]], "on": today, "known_to": sources, "notify": true});
        let control = client().post(format!("{}/control/events", self.departments.control)).body(death.to_string());
        assert_eq!(control.send().await.unwrap().status(), 200);
        let reply = self.ask("a death", &question("alive/alive", person, &json!({})), &[]).await;
        assert_eq!(reply.body["outcome"], "refuted");
    }

    /// Some wait for the court, some for the police, who cannot be reached. Their ids.
    async fn has_questions_that_wait(&self) -> BTreeSet<String> {
        let later = [("prefer", "respond-async")];
        let mut ids = BTreeSet::new();
        let in_court = self.departments.divorced_in_court().await;
        let knows = |person: &&Value| self.people.all.iter().any(|one| one["id_number"] == person["id_number"]);
        for person in in_court.iter().filter(knows).take(5) {
            let mut question = is_divorced(person);
            question["max_age"] = json!("0s");
            let reply = self.ask("a question for the court", &question, &later).await;
            assert_eq!(reply.status, 202, "{reply:?}");
            ids.insert(reply.id().to_owned());
        }
        self.departments.fault("police", "*", "refuse", 0).await;
        for person in self.living().into_iter().skip(360).take(5) {
            let mut question = is_named(person);
            question["max_age"] = json!("0s");
            let reply = self.ask("a question that is kept", &question, &later).await;
            assert_eq!(reply.status, 202, "{reply:?}");
            ids.insert(reply.id().to_owned());
        }
        self.departments.heal().await;
        assert!(ids.len() >= 6, "{ids:?}");
        ids
    }

    /// What an operator does, in a terminal.
    async fn is_operated(&self) {
        let (code, said) = self.gateway.reload().await;
        assert_eq!(code, Some(0), "{said}");
        self.gateway.write("config/matters/02-identity.toml", "number = \"two\"");
        let (code, said) = self.gateway.reload().await;
        assert_eq!(code, Some(2), "{said}");
        self.out.borrow_mut().push(("heyan reload".to_owned(), said.into_bytes()));
        let number = text(self.living()[200], "id_number").to_owned();
        for (arguments, input) in [
            (&["ledger", "verify", "--json"][..], ""),
            (&["ledger", "export"], ""),
            (&["ledger", "prove", "0"], ""),
            (&["ledger", "history"], number.as_str()),
            (&["ledger", "history"], "110105194912310021"),
            (&["keys", "rotate", "--use", "subject"], ""),
            (&["keys", "list", "--json"], ""),
        ] {
            let (is_well, said) = run(arguments, &self.gateway.data(), input);
            assert_eq!(is_well, input != "110105194912310021", "{arguments:?}: {}", String::from_utf8_lossy(&said));
            assert!(!said.is_empty());
            self.out.borrow_mut().push((format!("heyan {}", arguments.join(" ")), said));
        }
    }

    /// Every file under the gateway's folder, its keys among them.
    fn search_folder(&self, when: &str) {
        let (mut files, mut found) = (0, Vec::new());
        each_file(&self.gateway.data(), &mut |path, bytes| {
            files += 1;
            let hits = self.people.scanner.find_among_sealed(bytes);
            found.extend(hits.into_iter().map(|hit| format!("{}: {hit:?}", path.display())));
        });
        assert!(files >= 5 && found.is_empty(), "{when}, in {files} files: {found:#?}");
    }

    fn search(&self) {
        let mut out = self.out.take();
        out.push(("the log".to_owned(), self.gateway.log.bytes()));
        let heard = self.fund.heard();
        assert!(heard.starts_with(b"POST /outcomes"));
        out.push(("callbacks".to_owned(), heard));
        let exported = self.collector.heard();
        for signal in ["v1/traces", "v1/metrics", "v1/logs", "POST /v1/verifications", "a department gave no answer"] {
            let is_there = exported.windows(signal.len()).any(|window| window == signal.as_bytes());
            assert!(is_there, "{signal} is not exported");
        }
        out.push(("what is exported".to_owned(), exported));
        for (source, tap) in &self.taps {
            let asked = tap.asked();
            // Departments have to be told whom they are asked about; so what stands in bodies has to be found.
            let hits = self.people.scanner.find(&asked.bodies);
            println!("{source}: {} names and numbers in bodies", hits.len());
            let writings: BTreeSet<&str> = hits.iter().map(|(_, writing)| *writing).collect();
            println!("    {writings:?}");
            assert!(hits.len() > 10, "{source}: {writings:?}");
            out.push((format!("the heads of requests to {source}"), asked.heads));
        }
        let log = out.iter().find(|(what, _)| what == "the log").map(|(_, log)| log.len()).unwrap();
        let total: usize = out.iter().map(|(_, piece)| piece.len()).sum();
        println!("{total} bytes in {} pieces, {log} of them log", out.len());
        assert!(log > 1000);
        found_in(&self.people.scanner, &out);
    }
}

fn found_in(scanner: &Scanner, out: &[(String, Vec<u8>)]) {
    let mut found = BTreeSet::new();
    for (what, piece) in out {
        found.extend(scanner.find(piece).into_iter().map(|(label, writing)| format!("{what}: {label} in {writing}")));
    }
    assert!(
        found.is_empty(),
        "{} times somebody is named: {:#?}",
        found.len(),
        found.iter().take(40).collect::<Vec<_>>()
    );
}

/// `heyan` on the gateway's folder: whether it says yes, and everything that it prints.
fn run(arguments: &[&str], data: &Path, input: &str) -> (bool, Vec<u8>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heyan"));
    command.args(arguments).arg("--data-dir").arg(data).env("HEYAN_LOG", "trace").env("RUST_BACKTRACE", "full");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    (output.status.success(), [output.stdout, output.stderr].concat())
}

fn each_file(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, look);
        } else if let Ok(bytes) = fs::read(&path) {
            // A socket cannot be read, and holds nothing.
            look(&path, &bytes);
        }
    }
}
