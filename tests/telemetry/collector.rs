//! A collector: it takes what is exported, or does not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It takes everything.
    Takes,
    /// It refuses everything, and will not have it later either.
    Refuses,
    /// It never answers.
    Hangs,
}

/// A listening collector.
pub(crate) struct Collector {
    pub(crate) address: String,
    taken: Arc<Taken>,
}

#[derive(Default)]
struct Taken {
    bodies: Mutex<Vec<(String, Vec<u8>)>>,
    requests: AtomicU64,
}

impl Collector {
    pub(crate) fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::<Taken>::default();
        let sink = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = Arc::clone(&sink);
                thread::spawn(move || serve(stream, manner, &sink));
            }
        });
        Self { address, taken }
    }

    /// How often it was called.
    pub(crate) fn requests(&self) -> u64 {
        self.taken.requests.load(Ordering::SeqCst)
    }

    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let bodies = self.taken.bodies.lock().unwrap();
        bodies.iter().filter(|(known, _)| known == path).map(|(_, body)| body.clone()).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let decode = |body: Vec<u8>| ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        let resources = self.bodies("/v1/traces").into_iter().flat_map(|body| decode(body).resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// The metrics of the last export.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let decode = |body: Vec<u8>| ExportMetricsServiceRequest::decode(body.as_slice()).unwrap();
        let last = self.bodies("/v1/metrics").pop();
        let resources = last.into_iter().flat_map(|body| decode(body).resource_metrics);
        resources.flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics).collect()
    }

    pub(crate) fn logs(&self) -> Vec<LogRecord> {
        let decode = |body: Vec<u8>| ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
        let resources = self.bodies("/v1/logs").into_iter().flat_map(|body| decode(body).resource_logs);
        resources.flat_map(|resource| resource.scope_logs).flat_map(|scope| scope.log_records).collect()
    }
}

fn serve(stream: TcpStream, manner: Manner, taken: &Taken) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some((path, body)) = request(&mut reader) {
        taken.requests.fetch_add(1, Ordering::SeqCst);
        let answer: &[u8] = match manner {
            Manner::Takes => b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
            Manner::Refuses => b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
            Manner::Hangs => {
                thread::sleep(Duration::from_hours(1));
                return;
            }
        };
        if manner == Manner::Takes {
            taken.bodies.lock().unwrap().push((path, body));
        }
        if writer.write_all(answer).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}

/// The value of an attribute, as text.
pub(crate) fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()? {
        AnyValue { value: Some(Value::StringValue(text)) } => Some(text.clone()),
        AnyValue { value: Some(Value::IntValue(number)) } => Some(number.to_string()),
        AnyValue { value: Some(Value::BoolValue(truth)) } => Some(truth.to_string()),
        other => panic!("{other:?}"),
    }
}
