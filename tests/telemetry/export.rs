//! OTLP: every hop arrives, and a collector that does not take it delays nobody.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::collector::{Collector, Manner, attribute};
use crate::tap::Tap;
use crate::town::{Departments, Gateway, agency, client, is_named, question, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn exporting(departments: &Departments, to: &str, variables: &[(&str, &str)]) -> Gateway {
    let mut gateway =
        Gateway::new(departments, &[agency("fund", true, "limits = { per_second = 100000, at_once = 1000 }")], &[]);
    let standard = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", to),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];
    let all = standard.iter().chain(variables);
    gateway.environment.extend(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    gateway.start().await;
    gateway
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The spans of a trace, once its request is among them.
async fn arrived(collector: &Collector, trace: &str) -> Vec<Span> {
    let look = async || {
        let spans: Vec<Span> = collector.spans().into_iter().filter(|span| hex(&span.trace_id) == trace).collect();
        spans.iter().any(|span| span.kind == i32::from(SpanKind::Server)).then_some(spans)
    };
    until("the trace has arrived", look).await
}

fn value(metrics: &str, name: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
}

async fn metrics(gateway: &Gateway) -> String {
    gateway.request(Method::GET, "/metrics", "").send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_trace_arrives_with_every_hop_and_departments_are_told_who_asks() {
    let mut departments = Departments::start(&["--population", "200"]);
    let police = departments.sources.iter_mut().find(|(source, _)| source == "police").unwrap();
    let tap = Tap::before(&police.1);
    police.1.clone_from(&tap.address);
    let collector = Collector::open(Manner::Takes);
    let gateway = exporting(&departments, &collector.address, &[]).await;
    let person = &departments.living().await[0];
    let headers = [("traceparent", CALLER), ("tracestate", "vendor=opaque")];
    let reply = gateway.ask("fund", &question("alive/alive", person, &json!({})), &headers).await;
    assert_eq!((&reply.body["outcome"], &reply.body["trace_id"]), (&json!("confirmed"), &json!(TRACE)));
    assert_eq!(reply.header("trace-id"), TRACE);
    let spans = arrived(&collector, TRACE).await;
    let of = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let server = of("POST /v1/verifications")[0];
    assert_eq!(hex(&server.parent_span_id), "00f067aa0ba902b7");
    for (name, expected) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/verifications"),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("heyan.matter", "alive"),
        ("heyan.claim", "alive"),
        ("heyan.outcome", "confirmed"),
        ("heyan.agency", "fund"),
    ] {
        assert_eq!(attribute(&server.attributes, name).as_deref(), Some(expected), "{name}");
    }
    let asked = of("question")[0];
    assert_eq!(asked.parent_span_id, server.span_id);
    assert_eq!(asked.events.len(), reply.body["witnesses"].as_array().unwrap().len());
    let ask = of("ask police")[0];
    assert_eq!(ask.parent_span_id, asked.span_id);
    let exchange = of("query police.person")[0];
    assert_eq!((exchange.kind, &exchange.parent_span_id), (SpanKind::Client.into(), &ask.span_id));
    let port = tap.address.rsplit(':').next().unwrap();
    for (name, expected) in [
        ("heyan.source", "police"),
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("server.address", "127.0.0.1"),
        ("server.port", port),
        ("url.scheme", "http"),
    ] {
        assert_eq!(attribute(&exchange.attributes, name).as_deref(), Some(expected), "{name}");
    }
    let named = |name: &str| spans.iter().any(|span| attribute(&span.attributes, name).is_some());
    assert!(!named("url.full") && !named("url.path") && !named("url.query"), "a path may name somebody");
    let recorded: Vec<_> =
        of("record").iter().filter_map(|span| attribute(&span.attributes, "heyan.ledger.entry")).collect();
    assert_eq!(recorded, ["asked", "answered"]);
    assert_eq!(of("decide").len(), 1);
    assert!(spans.iter().all(|span| span.start_time_unix_nano >= server.start_time_unix_nano));
    let heads = String::from_utf8(tap.asked().heads).unwrap();
    assert!(heads.contains(&format!("traceparent: 00-{TRACE}-{}-01", hex(&exchange.span_id))), "{heads}");
    assert!(heads.contains("tracestate: vendor=opaque"), "{heads}");
}

#[tokio::test]
async fn failures_retries_and_what_is_not_sampled() {
    let departments = Departments::start(&["--population", "200"]);
    let collector = Collector::open(Manner::Takes);
    let gateway =
        exporting(&departments, &collector.address, &[("OTEL_TRACES_SAMPLER", "parentbased_always_off")]).await;
    let people = departments.living().await;
    departments.fault("police", "*", "status-500", 0).await;
    let unsampled = CALLER.replace("-01", "-00").replace(TRACE, &"a".repeat(32));
    gateway.ask("fund", &is_named(&people[0]), &[("traceparent", &unsampled)]).await;
    gateway.ask("fund", &is_named(&people[1]), &[]).await;
    let reply = gateway.ask("fund", &is_named(&people[2]), &[("traceparent", CALLER)]).await;
    assert_eq!(reply.body["outcome"], "unavailable");
    let spans = arrived(&collector, TRACE).await;
    let exchanges: Vec<_> = spans.iter().filter(|span| span.name == "query police.person").collect();
    let cause = reply.body["witnesses"][0]["cause"].as_str().unwrap();
    for exchange in &exchanges {
        for name in ["heyan.cause", "error.type"] {
            assert_eq!(attribute(&exchange.attributes, name).as_deref(), Some("source-error"));
        }
        assert_eq!(exchange.status.as_ref().unwrap().code, 2);
    }
    let ask = spans.iter().find(|span| span.name == "ask police").unwrap();
    assert_eq!(attribute(&ask.attributes, "heyan.cause").as_deref(), Some(cause));
    assert!(collector.spans().iter().all(|span| hex(&span.trace_id) == TRACE), "the others are not exported");
    let text = metrics(&gateway).await;
    assert!(
        value(&text, "heyan_department_exchanges_total{source=\"police\",operation=\"person\",end=\"source-error\"}")
            >= 3.0
    );
    assert!(value(&text, "heyan_department_retries_total{source=\"police\"") >= 1.0, "{text}");
}

#[tokio::test]
async fn metrics_and_logs_arrive_too() {
    let departments = Departments::start(&["--population", "200"]);
    let collector = Collector::open(Manner::Takes);
    let gateway = exporting(&departments, &collector.address, &[("OTEL_SERVICE_NAME", "heyan-test")]).await;
    let person = &departments.living().await[0];
    departments.fault("police", "*", "status-500", 0).await;
    gateway.ask("fund", &is_named(person), &[("traceparent", CALLER)]).await;
    let look = async || {
        let metrics = collector.metrics();
        let questions = metrics.iter().find(|metric| metric.name == "heyan.questions")?.data.clone()?;
        let Data::Sum(sum) = questions else { panic!("{questions:?}") };
        (sum.is_monotonic && !sum.data_points.is_empty()).then_some(metrics)
    };
    let metrics = until("the metrics have arrived", look).await;
    let duration = metrics.iter().find(|metric| metric.name == "http.server.request.duration").unwrap();
    let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    assert!(
        histogram
            .data_points
            .iter()
            .flat_map(|point| &point.exemplars)
            .any(|exemplar| hex(&exemplar.trace_id) == TRACE)
    );
    let look = async || {
        let words = |record: &opentelemetry_proto::tonic::logs::v1::LogRecord| {
            format!("{:?}", record.body).contains("a department gave no answer") && hex(&record.trace_id) == TRACE
        };
        collector.logs().into_iter().find(words)
    };
    let record = until("the log has arrived", look).await;
    assert_eq!(attribute(&record.attributes, "source.id").as_deref(), Some("police"));
}

#[tokio::test]
async fn a_question_that_is_taken_up_after_a_restart_stays_in_its_trace() {
    let mut departments = Departments::start(&["--population", "200"]);
    let police = departments.sources.iter_mut().find(|(source, _)| source == "police").unwrap();
    let tap = Tap::before(&police.1);
    police.1.clone_from(&tap.address);
    let hasty = [("again_after = \"30s\"", "again_after = \"1s\"")];
    let mut gateway = Gateway::started(&departments, &[agency("fund", true, "")], &hasty).await;
    let person = &departments.living().await[0];
    departments.fault("police", "*", "refuse", 0).await;
    let headers = [("traceparent", CALLER), ("tracestate", "vendor=opaque"), ("prefer", "respond-async")];
    let reply = gateway.ask("fund", &is_named(person), &headers).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    gateway.kill();
    let heads = || String::from_utf8(tap.asked().heads).unwrap();
    let named = |heads: &str| {
        let state = heads.matches("tracestate: vendor=opaque").count();
        (heads.matches(&format!("traceparent: 00-{TRACE}-")).count(), state)
    };
    let before = named(&heads());
    departments.heal().await;
    gateway.start().await;
    assert_eq!(gateway.outcome("fund", reply.id()).await["outcome"], "confirmed");
    let after = named(&heads());
    assert!(after.0 > before.0 && after.1 - before.1 == after.0 - before.0, "{before:?} {after:?}");
}

/// One signal's collector keeps no other waiting.
#[tokio::test]
async fn a_collector_that_hangs_for_traces_costs_no_metric_and_no_log() {
    let departments = Departments::start(&["--population", "200"]);
    let (hangs, takes) = (Collector::open(Manner::Hangs), Collector::open(Manner::Takes));
    let traces = format!("{}/v1/traces", hangs.address);
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces.as_str()),
        ("OTEL_TRACES_SAMPLER", "always_on"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let gateway = exporting(&departments, &takes.address, &variables).await;
    let people = departments.living().await;
    gateway.ask("fund", &is_named(&people[0]), &[]).await;
    until("the traces hang", async || (hangs.requests() > 0).then_some(())).await;
    departments.fault("police", "*", "status-500", 0).await;
    gateway.ask("fund", &is_named(&people[1]), &[("traceparent", CALLER)]).await;
    let is_it = |record: &opentelemetry_proto::tonic::logs::v1::LogRecord| hex(&record.trace_id) == TRACE;
    until("the log has arrived", async || takes.logs().iter().any(is_it).then_some(())).await;
    let counted = async || {
        let exchanges = takes.metrics().into_iter().find(|metric| metric.name == "heyan.department.exchanges")?;
        format!("{:?}", exchanges.data).contains("source-error").then_some(())
    };
    until("the metrics have arrived", counted).await;
    assert_eq!(hangs.requests(), 1, "the first batch of spans still waits");
}

/// However a collector behaves, requests are answered as fast, what is lost is counted, and the process ends in time.
async fn nobody_is_delayed(collector: &str, drops: bool) {
    let departments = Departments::start(&["--population", "200"]);
    let variables = [
        ("OTEL_TRACES_SAMPLER", "always_on"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
    ];
    let mut gateway = exporting(&departments, collector, &variables).await;
    let person = &departments.living().await[0];
    let began = Instant::now();
    for _ in 0..300 {
        assert_eq!(gateway.ask("fund", &is_named(person), &[]).await.body["outcome"], "confirmed");
    }
    // A request that waited for the collector would take its whole second.
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    if drops {
        let look = async || {
            (value(&metrics(&gateway).await, "heyan_telemetry_dropped_total{signal=\"traces\"}") > 0.0).then_some(())
        };
        until("drops are counted", look).await;
    }
    let log = gateway.log.text();
    assert!(log.matches("telemetry cannot be exported").count() <= 1, "{log}");
    let began = Instant::now();
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_collector_that_is_down_delays_nobody() {
    nobody_is_delayed("http://127.0.0.1:9", true).await;
}

#[tokio::test]
async fn a_collector_that_refuses_delays_nobody() {
    let collector = Collector::open(Manner::Refuses);
    nobody_is_delayed(&collector.address, true).await;
    assert!(collector.requests() > 0);
}

#[tokio::test]
async fn a_collector_that_hangs_delays_nobody() {
    let collector = Collector::open(Manner::Hangs);
    nobody_is_delayed(&collector.address, true).await;
}

#[tokio::test]
async fn what_waits_is_sent_before_the_process_ends() {
    let departments = Departments::start(&["--population", "200"]);
    let collector = Collector::open(Manner::Takes);
    let mut gateway = exporting(&departments, &collector.address, &[("OTEL_BSP_SCHEDULE_DELAY", "600000")]).await;
    let person = &departments.living().await[0];
    gateway.ask("fund", &is_named(person), &[("traceparent", CALLER)]).await;
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    assert!(collector.spans().iter().any(|span| hex(&span.trace_id) == TRACE));
}

#[tokio::test]
async fn without_an_address_nothing_is_exported_and_nothing_said() {
    let departments = Departments::start(&["--population", "200"]);
    let gateway = Gateway::started(&departments, &[agency("fund", false, "")], &[]).await;
    let people: Vec<Value> = departments.living().await;
    gateway.ask("fund", &is_named(&people[0]), &[]).await;
    let log = gateway.log.text();
    assert!(!log.contains("telemetry") && !log.contains("OTEL"), "{log}");
    let text = metrics(&gateway).await;
    assert!(value(&text, "heyan_telemetry_dropped_total").abs() < f64::EPSILON, "{text}");
    assert!(client().get(format!("http://{}/metrics", gateway.address)).send().await.unwrap().status().is_success());
}
