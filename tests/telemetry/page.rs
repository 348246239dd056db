//! `/metrics`, read by strict rules of our own and by Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use heyan::domain::TokenHash;
use heyan::telemetry::metrics::{ALL, Kind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::town::{Departments, Gateway, agency, is_named, question};

async fn page(gateway: &Gateway, accept: &str, token: &str) -> (u16, String, String) {
    let request = gateway.request(Method::GET, "/metrics", token).header("accept", accept);
    let reply = request.send().await.unwrap();
    let kind = reply.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (reply.status().as_u16(), kind, reply.text().await.unwrap())
}

/// The name of a sample's series and its labels; panics at what is not well-formed.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.split_once("} ").map_or_else(
        || line.split_once(' ').map(|(name, value)| (name.to_owned(), value)).unwrap(),
        |(series, value)| (format!("{series}}}"), value),
    );
    let value = value.split(" # ").next().unwrap();
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let (name, labels) = series.split_once('{').unwrap_or((&series, "}"));
    assert!(is_name(name), "{line}");
    let labels = labels.strip_suffix('}').unwrap();
    let mut read = BTreeMap::new();
    for pair in labels.split("\",").filter(|pair| !pair.is_empty()) {
        let (label, value) = pair.split_once("=\"").unwrap();
        assert!(is_name(label), "{line}");
        assert!(read.insert(label.to_owned(), value.trim_end_matches('"').to_owned()).is_none(), "{line}");
    }
    (name.to_owned(), read, value.parse().unwrap())
}

/// Every series once, each below its type, histograms growing up to their count.
fn check(text: &str, is_open: bool) -> BTreeSet<String> {
    let (mut types, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut buckets: BTreeMap<String, f64> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is described twice");
        }
        if line.starts_with('#') {
            continue;
        }
        let (name, labels, value) = sample(line);
        assert!(seen.insert(format!("{name}{labels:?}")), "{line} stands twice");
        let suffixes = ["_bucket", "_sum", "_count", "_total", ""];
        let family = suffixes.iter().filter_map(|suffix| name.strip_suffix(suffix)).find_map(|base| {
            let base = if is_open || types.contains_key(base) { base.to_owned() } else { name.clone() };
            types.contains_key(&base).then_some(base)
        });
        let family = family.unwrap_or_else(|| panic!("{name} has no type"));
        if types[&family] == "histogram" && name.ends_with("_bucket") {
            let mut others = labels.clone();
            others.remove("le").unwrap();
            let before = buckets.insert(format!("{family}{others:?}"), value).unwrap_or_default();
            assert!(value >= before, "{line}");
        }
        if types[&family] == "histogram" && name.ends_with("_count") {
            assert!((buckets[&format!("{family}{labels:?}")] - value).abs() < f64::EPSILON, "{line}");
        }
    }
    types.into_keys().collect()
}

#[tokio::test]
async fn it_is_well_formed_in_both_formats_and_names_nobody() {
    let departments = Departments::start(&["--population", "200"]);
    let gateway = Gateway::started(&departments, &[agency("fund", false, "")], &[]).await;
    let people = departments.living().await;
    let headers = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    gateway.ask("fund", &is_named(&people[0]), &headers).await;
    gateway.ask("fund", &question("alive/alive", &people[1], &json!({})), &[]).await;
    gateway.ask("nobody", &is_named(&people[0]), &[]).await;
    gateway.request(Method::GET, "/v1/张三", "").send().await.unwrap();
    let (status, kind, plain) = page(&gateway, "text/plain", "").await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let (_, kind, open) = page(&gateway, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "").await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    check(&plain, false);
    let families = check(&open, true);
    assert!(open.ends_with("# EOF\n"));
    let trace = "# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\",span_id=\"";
    assert!(open.lines().any(|line| line.contains("_bucket{") && line.contains(trace)), "{open}");
    let known: BTreeSet<String> = ALL.iter().map(|metric| metric.prometheus()).collect();
    assert!(families.is_subset(&known), "{families:#?}");
    // What has happened and what stands is there; the rest are things that did not happen.
    for metric in ALL.iter().filter(|metric| metric.kind == Kind::Histogram) {
        assert!(families.contains(&metric.prometheus()), "{}", metric.name);
    }
    for person in &people {
        for personal in [person["id_number"].as_str().unwrap(), person["name"].as_str().unwrap()] {
            assert!(!plain.contains(personal) && !open.contains(personal));
        }
    }
    assert!(!open.contains("张三"));
    for series in [
        "heyan_problems_total{code=\"unauthorized\"} 1",
        "heyan_receipts_total{algorithm=\"ed25519\"} 2",
        "heyan_ledger_commit_entries_bucket{le=\"1.0\"}",
        "heyan_ledger_commit_duration_seconds_count",
    ] {
        assert!(open.contains(series), "{series}: {open}");
    }
}

/// What Prometheus itself says of a page.
fn promtool(page: &str) -> String {
    let mut process = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool: {error} (Debian has it: prometheus)"));
    process.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat()
}

/// The series of ours that a file for operators names.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| ["heyan_", "http_server_", "process_"].iter().any(|ours| word.starts_with(ours))).collect()
}

#[tokio::test]
async fn prometheus_finds_nothing_wrong_and_operators_are_shipped_nothing_that_is_not_there() {
    let departments = Departments::start(&["--population", "200"]);
    let gateway = Gateway::started(&departments, &[agency("fund", false, "")], &[]).await;
    let people = departments.living().await;
    // What is counted only once it has happened.
    let receipt = gateway.ask("fund", &is_named(&people[0]), &[]).await.body["receipt"].clone();
    gateway.ask("nobody", &is_named(&people[0]), &[]).await;
    let post = |path: &str, token: &str, body: Value| {
        let request = gateway.request(Method::POST, path, token).header("content-type", "application/json");
        request.body(body.to_string()).send()
    };
    post("/v1/receipts/check", "", json!({"receipt": receipt})).await.unwrap();
    let event = json!({"subjects": [people[0]["id_number"]], "kind": "death"});
    post("/v1/sources/police/events", "demo-police-events", event).await.unwrap();
    let (_, _, text) = page(&gateway, "text/plain", "").await;
    assert_eq!(promtool(&text), "");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let there: BTreeSet<&str> = lines.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    let dashboard: Value = serde_json::from_str(include_str!("../../config/operations/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let expressions: Vec<&str> = panels.flatten().map(|target| target["expr"].as_str().unwrap()).collect();
    let shipped = [include_str!("../../config/operations/alerts.yaml").to_owned(), expressions.join("\n")].concat();
    let missing: Vec<&str> = named(&shipped).difference(&there).copied().collect();
    // This one speaks no TLS.
    assert_eq!(missing, ["heyan_certificate_expiry_time_seconds"]);
    assert!(named(&shipped).len() > 20, "{:?}", named(&shipped));
}

#[tokio::test]
async fn where_others_can_reach_it_it_takes_a_token_of_its_own() {
    let departments = Departments::start(&["--population", "200"]);
    let tokens = format!("metrics_tokens = [\"{}\"]", TokenHash::of("scraper"));
    let changes = [
        ("metrics_tokens = []", tokens.as_str()),
        ("plain_http = \"this-machine\"", "plain_http = \"behind-a-tls-proxy\""),
    ];
    let gateway = Gateway::started(&departments, &[agency("fund", false, "")], &changes).await;
    for (token, expected) in [("scraper", 200), ("fund", 401), ("", 401)] {
        assert_eq!(page(&gateway, "*/*", token).await.0, expected, "{token}");
    }
    // And it opens nothing else.
    let reply = gateway.request(Method::GET, "/v1/me", "scraper").send().await.unwrap();
    assert_eq!(reply.status(), 401);
}
