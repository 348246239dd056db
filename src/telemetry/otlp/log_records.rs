use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use tracing::Level;

use super::{attribute, nanos, resource, scope, text};
use crate::telemetry::logs::{Field, Line};

/// These lines.
pub(super) fn request(lines: &[Line], attributes: &[(String, String)]) -> ExportLogsServiceRequest {
    let log_records = lines.iter().map(record).collect();
    let scope_logs = vec![ScopeLogs { scope: Some(scope()), log_records, ..ScopeLogs::default() }];
    let resource_logs =
        vec![ResourceLogs { resource: Some(resource(attributes)), scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

fn record(line: &Line) -> LogRecord {
    let mut attributes = vec![text("code.namespace", line.target)];
    attributes.extend(line.fields.iter().map(|(name, value)| {
        let value = match value {
            Field::Text(text) => Value::StringValue(text.clone()),
            Field::Whole(number) => Value::IntValue(*number),
            Field::Number(number) => Value::DoubleValue(*number),
            Field::Truth(truth) => Value::BoolValue(*truth),
        };
        attribute(name, value)
    }));
    let severity = match line.level {
        Level::ERROR => SeverityNumber::Error,
        Level::WARN => SeverityNumber::Warn,
        Level::INFO => SeverityNumber::Info,
        Level::DEBUG => SeverityNumber::Debug,
        Level::TRACE => SeverityNumber::Trace,
    };
    LogRecord {
        time_unix_nano: nanos(line.at),
        observed_time_unix_nano: nanos(line.at),
        severity_number: severity.into(),
        severity_text: line.level.as_str().to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(line.message.clone())) }),
        attributes,
        flags: line.parent.map_or(0, |parent| u32::from(parent.is_sampled)),
        trace_id: line.parent.map(|parent| parent.trace.bytes().to_vec()).unwrap_or_default(),
        span_id: line.parent.map(|parent| parent.span.bytes().to_vec()).unwrap_or_default(),
        ..LogRecord::default()
    }
}
