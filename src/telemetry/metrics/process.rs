//! What the system says of this process (`/proc/self`, Linux). Where it says nothing, nothing is said here.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::catalog;
use super::page::{Label, Page};

pub(super) fn write(page: &mut Page) {
    page.whole(&catalog::INFO, vec![Label::fixed("service.version", env!("CARGO_PKG_VERSION"))], 1);
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        page.whole(&catalog::DESCRIPTORS, vec![], entries.count() as u64);
    }
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        page.whole(&catalog::DESCRIPTORS_LIMIT, vec![], limit);
    }
    let stat = fs::read_to_string("/proc/self/stat").ok();
    let Some(known) = stat.as_deref().and_then(Stat::read) else { return };
    page.value(&catalog::CPU, vec![], known.cpu);
    page.value(&catalog::MEMORY, vec![], known.resident);
    page.value(&catalog::THREADS, vec![], known.threads);
    let booted = fs::read_to_string("/proc/stat").ok();
    let booted = booted.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("btime ")));
    if let Some(booted) = booted.and_then(|seconds| seconds.trim().parse::<f64>().ok()) {
        page.value(&catalog::STARTED, vec![], booted + known.started);
    }
}

/// What `/proc/self/stat` says (proc(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    /// CPU time in seconds.
    cpu: f64,
    threads: f64,
    /// When it started, in seconds since the machine did.
    started: f64,
    /// Memory in bytes.
    resident: f64,
}

impl Stat {
    #[expect(clippy::cast_precision_loss, reason = "ticks and pages are few")]
    fn read(stat: &str) -> Option<Self> {
        // The name before it may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
        let ticks = clock_ticks_per_second() as f64;
        Some(Self {
            cpu: (number(11)? + number(12)?) / ticks,
            threads: number(17)?,
            started: number(19)? / ticks,
            resident: number(21)? * page_size() as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let rest = "S 1 2 3 0 -1 4 5 6 7 8 150 50 0 0 20 0 3 0 1000 99 7 18 0";
        let stat = Stat::read(&format!("42 (a) b) {rest}")).unwrap();
        let text = format!("{} {} {}", stat.cpu, stat.threads, stat.started);
        assert_eq!(text, "2 3 10");
        assert!(stat.resident >= 7.0 * 4096.0, "{stat:?}");
        assert_eq!(Stat::read("42 (a"), None);
    }
}
