//! The text format of OpenMetrics 1.0, read as strictly as the standard allows.
//!
//! Promises that whatever it takes is taken by any scraper: every family has its type and its help, families do not
//! mix or clash, samples have the names that their types prescribe, and histograms agree with themselves. Knows nothing
//! of Boltgate.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a sample.
pub type Labels = BTreeMap<String, String>;

/// Everything that a scrape says.
#[derive(Debug, Default)]
pub struct Exposition {
    pub families: BTreeMap<String, Family>,
}

/// One family.
#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
    pub unit: Option<String>,
    /// Name, labels and value of each sample.
    pub samples: Vec<(String, Labels, f64)>,
}

impl Exposition {
    /// Reads a whole scrape.
    ///
    /// # Panics
    /// When it is not one, with the line that is at fault.
    pub fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("it ends with `# EOF` and a line break");
        let mut read = Self::default();
        let mut current = String::new();
        for line in body.split_terminator('\n') {
            if let Some(metadata) = line.strip_prefix("# ") {
                let [word, name, rest] = metadata.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                if name != current {
                    assert!(!read.families.contains_key(name), "two families with one name: {line}");
                    name.clone_into(&mut current);
                }
                let family = read.families.entry(current.clone()).or_default();
                assert!(family.samples.is_empty(), "metadata after samples: {line}");
                match word {
                    "TYPE" if family.kind.is_empty() => rest.clone_into(&mut family.kind),
                    "HELP" if family.help.is_empty() && !rest.is_empty() => rest.clone_into(&mut family.help),
                    "UNIT" if family.unit.is_none() => family.unit = Some(rest.to_owned()),
                    _ => panic!("{line}"),
                }
            } else {
                let family = read.families.get_mut(&current).unwrap_or_else(|| panic!("of no family: {line}"));
                family.samples.push(sample(line));
            }
        }
        read.families.iter().for_each(|(name, family)| family.check(name));
        read.check_names();
        read
    }

    /// The value of the only sample with this name and these labels.
    ///
    /// # Panics
    /// When the scrape lacks it.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name}{labels:?}: {:#?}", self.samples(name)))
    }

    /// The value of the sample with this name and these labels, if there is one.
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut found = self.all().filter(|(found, of, _)| found == name && *of == labels);
        found.next().map(|(_, _, value)| *value)
    }

    /// The sum of all samples with this name.
    pub fn sum(&self, name: &str) -> f64 {
        self.samples(name).iter().map(|(_, value)| value).sum()
    }

    /// All samples with this name.
    pub fn samples(&self, name: &str) -> Vec<(&Labels, f64)> {
        self.all().filter(|(found, ..)| found == name).map(|(_, labels, value)| (labels, *value)).collect()
    }

    fn all(&self) -> impl Iterator<Item = &(String, Labels, f64)> {
        self.families.values().flat_map(|family| &family.samples)
    }

    /// No sample could be of two families.
    fn check_names(&self) {
        let mut names = BTreeSet::new();
        for (name, family) in &self.families {
            for suffix in family.suffixes().into_iter().chain([""]).collect::<BTreeSet<_>>() {
                assert!(names.insert(format!("{name}{suffix}")), "two families may have a sample {name}{suffix}");
            }
        }
    }
}

impl Family {
    fn suffixes(&self) -> Vec<&'static str> {
        match self.kind.as_str() {
            "counter" => vec!["_total", "_created"],
            "histogram" => vec!["_bucket", "_count", "_sum", "_created"],
            "info" => vec!["_info"],
            "gauge" | "unknown" => vec![""],
            kind => panic!("the type `{kind}`"),
        }
    }

    fn check(&self, name: &str) {
        assert!(is_name(name) && !self.help.is_empty(), "{name}: {self:?}");
        let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(&format!("_{unit}")));
        assert_eq!(self.unit.as_deref(), unit, "{name} says its unit");
        let mut seen = BTreeSet::new();
        for (sample, labels, value) in &self.samples {
            let suffix = sample.strip_prefix(name).unwrap_or_else(|| panic!("{sample} is none of {name}"));
            assert!(self.suffixes().contains(&suffix), "{sample} is none of the {} {name}", self.kind);
            assert!(seen.insert((sample, labels)), "twice: {sample}{labels:?}");
            assert!(value.is_finite() && (self.kind == "gauge" || *value >= 0.0), "{sample}{labels:?} {value}");
            assert!(self.kind != "info" || *value == 1.0, "{sample} {value}");
            assert_eq!(labels.contains_key("le"), suffix == "_bucket", "{sample}{labels:?}");
        }
        if self.kind == "histogram" {
            self.check_histogram(name);
        }
    }

    /// Each histogram has buckets up to infinity that only grow, and as many observations as its last one.
    fn check_histogram(&self, name: &str) {
        let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for (_, labels, value) in self.samples.iter().filter(|(sample, ..)| sample.ends_with("_bucket")) {
            let mut labels = labels.clone();
            let bound = labels.remove("le").expect("a bucket has a bound");
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a bound is a number") };
            buckets.entry(labels).or_default().push((bound, *value));
        }
        for (labels, buckets) in buckets {
            let grows = buckets.is_sorted_by(|a, b| a.0 < b.0) && buckets.is_sorted_by(|a, b| a.1 <= b.1);
            let (last, count) = *buckets.last().expect("there are buckets");
            assert!(grows && last.is_infinite(), "{name}{labels:?}: {buckets:?}");
            let of = |suffix: &str| {
                let sample = format!("{name}{suffix}");
                self.samples.iter().find(|(found, of, _)| *found == sample && *of == labels).map(|(.., value)| *value)
            };
            assert_eq!(of("_count"), Some(count), "{name}{labels:?}");
            assert!(of("_sum").is_some_and(|sum| sum > 0.0 || count == 0.0 || sum == 0.0), "{name}{labels:?}");
        }
    }
}

/// `name{label="value",…} value`.
fn sample(line: &str) -> (String, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, labels) = match series.split_once('{') {
        None => (series, Labels::new()),
        Some((name, labels)) => (name, labels_of(labels, line)),
    };
    assert!(is_name(name), "{line}");
    (name.to_owned(), labels, value.parse().unwrap_or_else(|error| panic!("{error}: {line}")))
}

fn labels_of(mut rest: &str, line: &str) -> Labels {
    let mut labels = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(is_name(name) && !name.contains(':'), "{line}");
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next() {
                Some((_, '\\')) => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    _ => panic!("a wrong escape: {line}"),
                },
                Some((at, '"')) => break at,
                Some((_, character)) => value.push(character),
                None => panic!("no end: {line}"),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "twice: {line}");
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                assert_eq!(rest, "}", "{line}");
                return labels;
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || "_:".contains(character))
}
