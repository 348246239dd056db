//! A page as Prometheus reads it.

use std::fmt::Write as _;

use super::catalog::{Kind, Metric};
use super::instrument::Exemplar;
use super::page::{Distribution, Label, Page, Reading, Sample};

/// The media type of the Prometheus text format.
pub const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The media type of `OpenMetrics`.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The two formats. Only `OpenMetrics` has units and examples, and it names counters without their suffix where it describes
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Prometheus,
    OpenMetrics,
}

impl Page {
    /// In the Prometheus text format 0.0.4.
    #[must_use]
    pub fn prometheus(&self) -> String {
        self.text(Format::Prometheus)
    }

    /// As `OpenMetrics` 1.0, with examples.
    #[must_use]
    pub fn open_metrics(&self) -> String {
        let mut text = self.text(Format::OpenMetrics);
        text.push_str("# EOF\n");
        text
    }

    fn text(&self, format: Format) -> String {
        let mut text = String::with_capacity(32 * 1024);
        for (metric, samples) in self.families() {
            let name = metric.prometheus();
            describe(&mut text, format, metric, &name);
            for sample in samples {
                write_sample(&mut text, format, metric, &name, sample);
            }
        }
        text
    }
}

fn describe(text: &mut String, format: Format, metric: &Metric, name: &str) {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let total = if format == Format::Prometheus && metric.kind == Kind::Counter { "_total" } else { "" };
    let _ = writeln!(text, "# HELP {name}{total} {}", metric.help);
    let _ = writeln!(text, "# TYPE {name}{total} {kind}");
    if let (Format::OpenMetrics, Some(unit)) = (format, metric.unit.suffix()) {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
}

fn write_sample(text: &mut String, format: Format, metric: &Metric, name: &str, sample: &Sample) {
    let labels = &sample.labels;
    let suffix = if metric.kind == Kind::Counter { "_total" } else { "" };
    match &sample.reading {
        Reading::Count(count) => {
            write_name(text, name, suffix, labels, None);
            let _ = writeln!(text, " {count}");
        }
        Reading::Value(value) => {
            write_name(text, name, suffix, labels, None);
            let _ = writeln!(text, " {value}");
        }
        Reading::Distribution(distribution) => write_distribution(text, format, name, labels, distribution),
    }
}

fn write_distribution(text: &mut String, format: Format, name: &str, labels: &[Label], distribution: &Distribution) {
    let Distribution { bounds, counts, sum, exemplars } = distribution;
    let mut all = 0;
    let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    for (index, (bound, count)) in bounds.zip(counts).enumerate() {
        all += count;
        // A number of the canonical form has a point.
        let bound = if bound.contains(['.', 'I']) { bound } else { format!("{bound}.0") };
        write_name(text, name, "_bucket", labels, Some(&bound));
        let _ = write!(text, " {all}");
        if let (Format::OpenMetrics, Some(Some(exemplar))) = (format, exemplars.get(index)) {
            write_exemplar(text, exemplar);
        }
        text.push('\n');
    }
    write_name(text, name, "_sum", labels, None);
    let _ = writeln!(text, " {sum}");
    write_name(text, name, "_count", labels, None);
    let _ = writeln!(text, " {all}");
}

fn write_exemplar(text: &mut String, Exemplar { trace, span, value, at, .. }: &Exemplar) {
    let (seconds, millis) = (at.as_second(), at.subsec_millisecond());
    let _ = write!(text, " # {{trace_id=\"{trace}\",span_id=\"{span}\"}} {value} {seconds}.{millis:03}");
}

fn write_name(text: &mut String, name: &str, suffix: &str, labels: &[Label], bound: Option<&str>) {
    text.push_str(name);
    text.push_str(suffix);
    if labels.is_empty() && bound.is_none() {
        return;
    }
    text.push('{');
    let mut is_first = true;
    let labels = labels.iter().map(|label| (label.name, &*label.value));
    for (name, value) in labels.chain(bound.map(|bound| ("le", bound))) {
        if !std::mem::take(&mut is_first) {
            text.push(',');
        }
        text.extend(name.chars().map(|character| if character == '.' { '_' } else { character }));
        text.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::super::catalog;
    use super::super::instrument::Histogram;
    use super::*;
    use crate::telemetry::ids::{SpanId, TraceId};

    fn page() -> Page {
        let mut page = Page::default();
        page.total(&catalog::PROBLEMS, vec![Label::new("code", "a\"b\\c\nd")], 3);
        page.value(&catalog::QUESTIONS_OLDEST, vec![], 1.5);
        let histogram = Histogram::<2>::default();
        let exemplar = || Exemplar {
            trace: "4bf92f3577b34da6a3ce929d0e0e4736".parse::<TraceId>().unwrap(),
            span: "00f067aa0ba902b7".parse::<SpanId>().unwrap(),
            value: 0.75,
            at: "2026-11-26T00:00:00.5Z".parse().unwrap(),
            is_sampled: true,
        };
        histogram.observe(std::time::Duration::from_millis(750), &[0.5, 1.0], exemplar);
        let labels = vec![Label::fixed("http.request.method", "GET")];
        page.histogram(&catalog::REQUEST_DURATION, labels, histogram.read(&[0.5, 1.0]));
        page
    }

    #[test]
    fn prometheus() {
        let text = page().prometheus();
        assert!(
            text.contains("# TYPE heyan_problems_total counter\nheyan_problems_total{code=\"a\\\"b\\\\c\\nd\"} 3\n")
        );
        assert!(
            text.contains("# TYPE heyan_questions_oldest_age_seconds gauge\nheyan_questions_oldest_age_seconds 1.5\n")
        );
        assert!(
            text.contains("http_server_request_duration_seconds_bucket{http_request_method=\"GET\",le=\"0.5\"} 0\n")
        );
        assert!(
            text.contains("http_server_request_duration_seconds_bucket{http_request_method=\"GET\",le=\"1.0\"} 1\n")
        );
        assert!(
            text.contains("http_server_request_duration_seconds_bucket{http_request_method=\"GET\",le=\"+Inf\"} 1\n")
        );
        assert!(text.contains("http_server_request_duration_seconds_sum{http_request_method=\"GET\"} 0.75\n"));
        assert!(!text.contains("trace_id") && !text.contains("EOF"));
    }

    #[test]
    fn open_metrics() {
        let text = page().open_metrics();
        assert!(text.contains("# TYPE heyan_problems counter\nheyan_problems_total{"));
        assert!(text.contains("# UNIT heyan_questions_oldest_age_seconds seconds\n"));
        let exemplar =
            "# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\",span_id=\"00f067aa0ba902b7\"} 0.75 1795651200.500";
        assert!(text.contains(&format!("le=\"1.0\"}} 1 {exemplar}\n")), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
