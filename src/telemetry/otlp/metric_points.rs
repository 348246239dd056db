use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1 as points;
use points::metric::Data;
use points::number_data_point::Value;
use points::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum,
};

use super::{nanos, resource, scope, text};
use crate::telemetry::metrics::{self, Distribution, Exemplar, Kind, Label, Page, Reading, Sample};

/// A page, and how many points it has. Counters count since `since`.
pub(super) fn request(
    page: &Page,
    since: Timestamp,
    now: Timestamp,
    attributes: &[(String, String)],
) -> (ExportMetricsServiceRequest, u64) {
    let writer = Writer { since: nanos(since), now: nanos(now) };
    // What runs, the resource says.
    let families = page.families().filter(|(metric, _)| **metric != metrics::INFO);
    let (mut written, mut count) = (Vec::new(), 0);
    for (metric, samples) in families {
        count += samples.len() as u64;
        written.push(writer.metric(metric, samples));
    }
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics: written, ..ScopeMetrics::default() }];
    let resource = Some(resource(attributes));
    let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
    (ExportMetricsServiceRequest { resource_metrics }, count)
}

struct Writer {
    since: u64,
    now: u64,
}

impl Writer {
    fn metric(&self, metric: &metrics::Metric, samples: &[Sample]) -> Metric {
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let numbers = || samples.iter().filter_map(|sample| self.number(sample)).collect();
        let data = match metric.kind {
            Kind::Counter => Data::Sum(Sum { data_points: numbers(), aggregation_temporality, is_monotonic: true }),
            Kind::Gauge => Data::Gauge(Gauge { data_points: numbers() }),
            Kind::Histogram => {
                let data_points = samples.iter().filter_map(|sample| self.histogram(sample)).collect();
                Data::Histogram(Histogram { data_points, aggregation_temporality })
            }
        };
        Metric {
            name: metric.name.to_owned(),
            description: metric.help.to_owned(),
            unit: metric.unit.ucum().to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn number(&self, sample: &Sample) -> Option<NumberDataPoint> {
        let value = match &sample.reading {
            Reading::Count(count) => Value::AsInt(i64::try_from(*count).unwrap_or(i64::MAX)),
            Reading::Value(value) => Value::AsDouble(*value),
            Reading::Distribution(_) => return None,
        };
        Some(NumberDataPoint {
            attributes: attributes(&sample.labels),
            start_time_unix_nano: self.since,
            time_unix_nano: self.now,
            value: Some(value),
            ..NumberDataPoint::default()
        })
    }

    fn histogram(&self, sample: &Sample) -> Option<HistogramDataPoint> {
        let Reading::Distribution(distribution) = &sample.reading else { return None };
        let Distribution { bounds, counts, sum, exemplars } = &**distribution;
        Some(HistogramDataPoint {
            attributes: attributes(&sample.labels),
            start_time_unix_nano: self.since,
            time_unix_nano: self.now,
            count: counts.iter().sum(),
            sum: Some(*sum),
            bucket_counts: counts.clone(),
            explicit_bounds: bounds.clone(),
            exemplars: exemplars.iter().flatten().map(exemplar).collect(),
            ..HistogramDataPoint::default()
        })
    }
}

fn attributes(labels: &[Label]) -> Vec<KeyValue> {
    labels.iter().map(|label| text(label.name, &label.value)).collect()
}

fn exemplar(exemplar: &Exemplar) -> points::Exemplar {
    points::Exemplar {
        time_unix_nano: nanos(exemplar.at),
        trace_id: exemplar.trace.bytes().to_vec(),
        span_id: exemplar.span.bytes().to_vec(),
        value: Some(points::exemplar::Value::AsDouble(exemplar.value)),
        ..points::Exemplar::default()
    }
}
