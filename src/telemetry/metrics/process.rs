//! What the system says about this process. Where it does not say it as Linux does, nothing is shown.

use std::{
    fmt, fs,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, metrics::MetricType};

use super::families::Families;

/// The clock ticks per second in `/proc`, which Linux fixes for programs, whatever its own clock does.
const TICKS: f64 = 100.0;

/// The process, as seen at each scrape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    started: SystemTime,
}

impl Process {
    /// The process, which has just started.
    pub(super) fn started_now() -> Self {
        Self { started: SystemTime::now() }
    }
}

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let out = &mut Families(encoder);
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        out.gauge("process_start_time_seconds", "When the process started", started.as_secs_f64())?;
        if let Some(seconds) = read("/proc/self/stat", cpu_seconds) {
            out.family("process_cpu_seconds", MetricType::Counter, "Processor time, of user and system")?
                .fractions(seconds)?;
        }
        if let Some(bytes) = read("/proc/self/status", resident_bytes) {
            out.gauge("process_resident_memory_bytes", "Resident memory", bytes)?;
        }
        if let Some(open) = open_descriptors() {
            out.gauge("process_open_fds", "Open file descriptors", open)?;
        }
        if let Some(most) = read("/proc/self/limits", most_descriptors) {
            out.gauge("process_max_fds", "The most file descriptors that may be open", most)?;
        }
        Ok(())
    }
}

fn read<T>(path: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
    parse(&fs::read_to_string(path).ok()?)
}

/// The 14th and 15th of the fields, of which the second is a name in parentheses that may contain anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_ascii_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    Some((ticks.next()? + ticks.next()?) as f64 / TICKS)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()? * 1024)
}

/// The soft limit; none if it is unlimited.
fn most_descriptors(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn open_descriptors() -> Option<u64> {
    // Linux 6.2 and later say the number at once. Before, they are counted, without the one that counting needs.
    match fs::metadata("/proc/self/fd").ok()?.len() {
        0 => Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1)),
        open => Some(open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_understood() {
        let stat = "4711 (a) b (c) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1000 200 1844 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("4711 (a"), None);
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t    1234 kB\nVmSize:\t 9 kB\n"), Some(1234 * 1024));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
        let limits =
            |soft: &str| format!("Limit  Soft Limit  Hard Limit  Units\nMax open files   {soft}   4096   files\n");
        assert_eq!(most_descriptors(&limits("1024")), Some(1024));
        assert_eq!(most_descriptors(&limits("unlimited")), None);
    }
}
