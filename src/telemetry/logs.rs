//! Lines of the log: each event once, as JSON or in a form to be read, with the trace that it belongs to. What goes to standard
//! error is exported too, where the environment says so.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::str::FromStr;
use std::sync::{PoisonError, RwLock, Weak};

use jiff::Timestamp;
use serde_json::{Map, Number, Value};
use tracing::field::{Field as Name, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::ids::Parent;
use super::otlp::Queue;
use super::recording;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// To be read; with colours or without.
    Pretty {
        /// Whether there are colours.
        has_colours: bool,
    },
}

/// A text that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("json or pretty")]
pub struct NoFormat;

impl FromStr for Format {
    type Err = NoFormat;

    fn from_str(text: &str) -> Result<Self, NoFormat> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty { has_colours: false }),
            _ => Err(NoFormat),
        }
    }
}

/// Writes lines to standard error, and hands them to whoever exports.
pub struct Lines(pub Format);

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) level: Level,
    pub(super) target: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Field)>,
    pub(super) parent: Option<Parent>,
}

/// What a line says beside its words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

/// Where lines go beside standard error.
static EXPORT: RwLock<Option<Weak<Queue>>> = RwLock::new(None);

/// From now on lines go there, too.
pub(super) fn export_to(queue: Weak<Queue>) {
    *EXPORT.write().unwrap_or_else(PoisonError::into_inner) = Some(queue);
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event);
        let mut text = match self.0 {
            Format::Json => line.json(),
            Format::Pretty { has_colours } => line.pretty(has_colours),
        };
        text.push('\n');
        // Nobody is left to be told that standard error cannot be written.
        let _ = io::stderr().write_all(text.as_bytes());
        if line.may_be_exported() {
            let export = EXPORT.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Weak::upgrade);
            if let Some(export) = export {
                export.log(line);
            }
        }
    }
}

impl Line {
    fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut line = Self {
            at: Timestamp::now(),
            level: *metadata.level(),
            target: metadata.target(),
            message: String::new(),
            fields: Vec::new(),
            parent: recording::parent(),
        };
        event.record(&mut line);
        line
    }

    /// What exporting says of itself would feed itself, and what other crates say is not for collectors.
    fn may_be_exported(&self) -> bool {
        self.target.starts_with("heyan") && !self.target.starts_with("heyan::telemetry")
    }

    fn json(&self) -> String {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("timestamp", self.at.to_string().into());
        add("level", self.level.as_str().into());
        add("target", self.target.into());
        add("message", self.message.as_str().into());
        if let Some(parent) = self.parent {
            add("trace_id", parent.trace.to_string().into());
            add("span_id", parent.span.to_string().into());
        }
        for (name, value) in &self.fields {
            let value = match value {
                Field::Text(text) => text.as_str().into(),
                Field::Whole(number) => (*number).into(),
                Field::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
                Field::Truth(truth) => (*truth).into(),
            };
            add(name, value);
        }
        Value::Object(members).to_string()
    }

    fn pretty(&self, has_colours: bool) -> String {
        let (colour, faint, end) = match self.level {
            _ if !has_colours => ("", "", ""),
            Level::ERROR => ("\x1b[31m", "\x1b[2m", "\x1b[0m"),
            Level::WARN => ("\x1b[33m", "\x1b[2m", "\x1b[0m"),
            Level::INFO => ("\x1b[32m", "\x1b[2m", "\x1b[0m"),
            Level::DEBUG | Level::TRACE => ("\x1b[34m", "\x1b[2m", "\x1b[0m"),
        };
        let mut text = format!("{faint}{:.6}{end} {colour}{:>5}{end} ", self.at, self.level);
        let _ = write!(text, "{faint}{}:{end} ", self.target);
        plain(&mut text, &self.message);
        for (name, value) in &self.fields {
            let _ = write!(text, " {faint}{name}={end}");
            match value {
                Field::Text(value) => plain(&mut text, value),
                Field::Whole(number) => text.push_str(&number.to_string()),
                Field::Number(number) => text.push_str(&number.to_string()),
                Field::Truth(truth) => text.push_str(&truth.to_string()),
            }
        }
        if let Some(parent) = self.parent {
            let _ = write!(text, " {faint}trace_id={end}{}", parent.trace);
        }
        text
    }

    fn add(&mut self, name: &Name, value: Field) {
        match (name.name(), value) {
            ("message", Field::Text(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

/// A terminal must not obey what a line holds; a line of several lines stays readable.
fn plain(text: &mut String, words: &str) {
    for character in words.chars() {
        match character {
            '\n' | '\t' => text.push(character),
            control if control.is_control() => text.extend(control.escape_default()),
            other => text.push(other),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, name: &Name, value: &dyn fmt::Debug) {
        self.add(name, Field::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, name: &Name, value: &str) {
        self.add(name, Field::Text(value.to_owned()));
    }

    fn record_bool(&mut self, name: &Name, value: bool) {
        self.add(name, Field::Truth(value));
    }

    fn record_i64(&mut self, name: &Name, value: i64) {
        self.add(name, Field::Whole(value));
    }

    fn record_u64(&mut self, name: &Name, value: u64) {
        let whole = i64::try_from(value).map(Field::Whole);
        self.add(name, whole.unwrap_or_else(|_| Field::Text(value.to_string())));
    }

    fn record_f64(&mut self, name: &Name, value: f64) {
        self.add(name, Field::Number(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            at: "2026-11-26T00:00:00Z".parse().unwrap(),
            level: Level::WARN,
            target: "heyan::sources",
            message: "a department\u{1b}[31m gave no answer".to_owned(),
            fields: vec![("source.id", Field::Text("po\"lice".to_owned())), ("tries", Field::Whole(2))],
            parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok(),
        }
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let text = line().json();
        assert!(!text.contains('\n'));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["source.id"], "po\"lice");
        assert_eq!(value["tries"], 2);
        assert_eq!(value["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(value["span_id"], "00f067aa0ba902b7");
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_line_holds() {
        let text = line().pretty(false);
        assert!(!text.contains('\x1b'), "{text:?}");
        assert!(text.starts_with("2026-11-26T00:00:00.000000Z  WARN heyan::sources: a department"), "{text}");
        assert!(text.ends_with("source.id=po\"lice tries=2 trace_id=4bf92f3577b34da6a3ce929d0e0e4736"), "{text}");
    }

    #[test]
    fn exporting_does_not_feed_itself() {
        assert!(line().may_be_exported());
        assert!(!Line { target: "heyan::telemetry::otlp", ..line() }.may_be_exported());
        assert!(!Line { target: "reqwest", ..line() }.may_be_exported());
    }
}
