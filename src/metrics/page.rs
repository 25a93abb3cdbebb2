//! The page of one scrape: families of series, sorted and written by the `prometheus` crate's text encoder.
//!
//! Only the crate's plain structs are used. Its vectors find a series by a hash of the concatenated label
//! values alone, so that different series can silently become one.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use prometheus::TextEncoder;
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};

use crate::ledger::Histogram;
use crate::metrics::catalog::{Kind, Metric};
use crate::run::Labels;
use crate::time::{Instant, unix_seconds};

/// Everything that one scrape answers.
#[derive(Default)]
pub(super) struct Page {
    families: BTreeMap<&'static str, Family>,
}

/// All series of one metric.
pub(super) struct Family {
    metric: &'static Metric,
    series: Vec<proto::Metric>,
}

impl Page {
    pub(super) fn family(&mut self, metric: &'static Metric) -> &mut Family {
        let empty = || Family { metric, series: Vec::new() };
        self.families.entry(metric.name).or_insert_with(empty)
    }

    /// A series without labels.
    pub(super) fn set(&mut self, metric: &'static Metric, value: f64) {
        self.family(metric).set(&[], value);
    }

    /// Text format 0.0.4, families by name and series by their label values.
    pub(super) fn encode(self) -> prometheus::Result<String> {
        let families = self.families.into_values().filter(|f| !f.series.is_empty());
        let families: Vec<MetricFamily> = families.map(Family::finish).collect();
        TextEncoder::new().encode_to_string(&families)
    }
}

impl Family {
    /// `values` are those of the metric's labels, in their order.
    pub(super) fn set(&mut self, values: &[&str], value: f64) {
        let mut series = self.labelled(values);
        match self.metric.kind {
            Kind::Counter => {
                let mut counter = proto::Counter::default();
                counter.set_value(value);
                series.set_counter(counter);
            }
            Kind::Gauge | Kind::Histogram => {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(value);
                series.set_gauge(gauge);
            }
        }
        self.series.push(series);
    }

    pub(super) fn set_count(&mut self, values: &[&str], count: u64) {
        self.set(values, count as f64);
    }

    pub(super) fn set_flag(&mut self, values: &[&str], flag: bool) {
        self.set(values, if flag { 1.0 } else { 0.0 });
    }

    /// A time stamp; no series without one.
    pub(super) fn set_time(&mut self, values: &[&str], at: Option<Instant>) {
        if let Some(at) = at {
            self.set(values, unix_seconds(at));
        }
    }

    pub(super) fn set_histogram(&mut self, values: &[&str], histogram: &Histogram) {
        let mut so_far = 0;
        let buckets = histogram.bounds.iter().zip(&histogram.counts).map(|(bound, n)| {
            so_far += n;
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(so_far);
            bucket
        });
        let mut written = proto::Histogram::default();
        written.set_bucket(buckets.collect());
        written.set_sample_count(histogram.count);
        written.set_sample_sum(histogram.sum);
        let mut series = self.labelled(values);
        series.set_histogram(written);
        self.series.push(series);
    }

    fn labelled(&self, values: &[&str]) -> proto::Metric {
        debug_assert_eq!(values.len(), self.metric.labels.len(), "{}", self.metric.name);
        let pairs = self.metric.labels.iter().zip(values).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        });
        proto::Metric::from_label(pairs.collect())
    }

    fn finish(mut self) -> MetricFamily {
        self.series.sort_by(by_labels);
        // Prometheus drops the second of two equal series; better that it is the same one each time.
        self.series.dedup_by(|b, a| by_labels(a, b) == Ordering::Equal);
        let mut family = MetricFamily::default();
        family.set_name(self.metric.name.to_owned());
        family.set_help(self.metric.help.to_owned());
        family.set_field_type(match self.metric.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        family.set_metric(self.series);
        family
    }
}

/// All label values are compared, one by one.
fn by_labels(a: &proto::Metric, b: &proto::Metric) -> Ordering {
    let (a, b) = (a.get_label().iter(), b.get_label().iter());
    a.map(LabelPair::value).cmp(b.map(LabelPair::value))
}

/// The label values of a domain series.
pub(super) fn values(p: &Labels) -> [&str; 3] {
    [&p.partner, &p.service, &p.procedure]
}

/// The label values of a domain series, and one word more.
pub(super) fn values_and<'a>(p: &'a Labels, word: &'a str) -> [&'a str; 4] {
    [&p.partner, &p.service, &p.procedure, word]
}
