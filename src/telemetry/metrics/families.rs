//! Writing families of metrics: type, help and unit, then the samples.

use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric as _, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Unit,
};

use super::series::{Counters, Durations};
use crate::telemetry::observer::Word;

/// Writes families one after the other.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

/// Units and how names that have them end.
static UNITS: [(Unit, &str); 2] = [(Unit::Seconds, "_seconds"), (Unit::Bytes, "_bytes")];

impl Families<'_> {
    /// Begins a family. Its name ends with its unit, if it has one.
    pub(super) fn family<'s>(
        &'s mut self,
        name: &'static str,
        kind: MetricType,
        help: &str,
    ) -> Result<Samples<'s>, fmt::Error> {
        let unit = UNITS.iter().find_map(|(unit, end)| Some((name.strip_suffix(end)?, unit)));
        let (name, unit) = unit.map_or((name, None), |(name, unit)| (name, Some(unit)));
        Ok(Samples(self.0.encode_descriptor(name, help, unit, kind)?))
    }

    /// A counter without labels. The name is the family's: samples add `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, count: u64) -> fmt::Result {
        self.family(name, MetricType::Counter, help)?.counter(&[], count)
    }

    /// A counter for each value of `label`.
    pub(super) fn counters<L: Word>(
        &mut self,
        name: &'static str,
        help: &str,
        label: &str,
        counters: &Counters<L>,
    ) -> fmt::Result {
        let mut samples = self.family(name, MetricType::Counter, help)?;
        counters.counts().try_for_each(|(value, count)| samples.counter(&[(label, value.word())], count))
    }

    /// A gauge without labels.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.family(name, MetricType::Gauge, help)?.gauge(&[], value)
    }

    /// A histogram without labels.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str, durations: &Durations) -> fmt::Result {
        self.family(name, MetricType::Histogram, help)?.histogram(&[], durations)
    }
}

/// Writes the samples of one family.
pub(super) struct Samples<'a>(MetricEncoder<'a>);

/// The labels of a sample: names and values.
type Labels<'a> = [(&'a str, &'a str)];

impl Samples<'_> {
    pub(super) fn counter(&mut self, labels: &Labels<'_>, count: u64) -> fmt::Result {
        self.0.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
    }

    /// A counter of fractions.
    pub(super) fn fractions(&mut self, count: f64) -> fmt::Result {
        self.0.encode_counter::<NoLabelSet, _, u64>(&count, None)
    }

    pub(super) fn gauge(&mut self, labels: &Labels<'_>, value: impl EncodeGaugeValue) -> fmt::Result {
        self.0.encode_family(&labels)?.encode_gauge(&value)
    }

    pub(super) fn histogram(&mut self, labels: &Labels<'_>, durations: &Durations) -> fmt::Result {
        durations.0.encode(self.0.encode_family(&labels)?)
    }

    pub(super) fn info(&mut self, labels: &Labels<'_>) -> fmt::Result {
        self.0.encode_info(&labels)
    }
}
