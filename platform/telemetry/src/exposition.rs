//! Families of numbers that are read when they are asked for.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// Names and values of labels.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

fn family(name: &str, help: &str, kind: MetricType) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family
}

fn labelled(labels: Labels<'_>) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}

/// A family that is being filled.
pub(crate) struct Family(MetricFamily);

impl Family {
    /// A number that only grows while what it counts is there.
    pub(crate) fn counter(name: &str, help: &str) -> Self {
        Self(family(name, help, MetricType::COUNTER))
    }

    /// A number that goes up and down.
    pub(crate) fn gauge(name: &str, help: &str) -> Self {
        Self(family(name, help, MetricType::GAUGE))
    }

    /// Counts by upper bounds.
    pub(crate) fn histogram(name: &str, help: &str) -> Self {
        Self(family(name, help, MetricType::HISTOGRAM))
    }

    /// Adds a series with that value.
    pub(crate) fn add(&mut self, labels: Labels<'_>, value: f64) {
        let mut metric = labelled(labels);
        if self.0.get_field_type() == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.0.mut_metric().push(metric);
    }

    /// Adds a series of counts. `counts` are not cumulative, and one longer than `bounds`: the last is above all of them.
    pub(crate) fn add_counts(&mut self, labels: Labels<'_>, bounds: &[f64], counts: &[u64], sum: f64) {
        let mut total = 0;
        let mut buckets = Vec::with_capacity(bounds.len());
        for (index, bound) in bounds.iter().enumerate() {
            total += counts.get(index).copied().unwrap_or(0);
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(total);
            buckets.push(bucket);
        }
        total += counts.get(bounds.len()..).map_or(0, |above| above.iter().sum());
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(total);
        histogram.set_sample_sum(sum);
        let mut metric = labelled(labels);
        metric.set_histogram(histogram);
        self.0.mut_metric().push(metric);
    }

    /// The family; none where it has no series.
    pub(crate) fn done(self) -> Option<MetricFamily> {
        (!self.0.get_metric().is_empty()).then_some(self.0)
    }
}
