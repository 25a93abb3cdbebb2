//! This process as the operating system sees it: reads `/proc` (Linux, proc(5)).

mod supervisor;
mod writers;

use std::path::Path;

use chrono::{DateTime, TimeDelta};

use crate::metrics::ProcessView;

pub use supervisor::Supervisor;
pub use writers::{Written, written_by, written_files};

/// `None` where there is no `/proc`, or where it says what proc(5) does not.
pub fn view() -> Option<ProcessView> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let units = Units {
        ticks_per_second: rustix::param::clock_ticks_per_second(),
        page_bytes: u64::try_from(rustix::param::page_size()).ok()?,
    };
    let texts = Texts {
        own_stat: &read("/proc/self/stat")?,
        limits: &read("/proc/self/limits")?,
        system_stat: &read("/proc/stat")?,
    };
    assemble(&texts, &units, count_entries(Path::new("/proc/self/fd"))?)
}

/// The machine's own name.
pub fn machine_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

/// Whether this process was started with the signal ignored (`nohup`, a job in the background of a script): then it
/// is to stay ignored.
pub fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_ignored(&status, signal)
}

fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(signal - 1).ok().and_then(|shift| 1_u64.checked_shl(shift));
    bit.is_some_and(|bit| mask & bit != 0)
}

/// The files, as read.
struct Texts<'a> {
    own_stat: &'a str,
    limits: &'a str,
    system_stat: &'a str,
}

/// What the numbers in them count.
struct Units {
    ticks_per_second: u64,
    page_bytes: u64,
}

fn assemble(texts: &Texts, units: &Units, open_fds: u64) -> Option<ProcessView> {
    let stat = Stat::parse(texts.own_stat)?;
    let seconds = |ticks: u64| ticks as f64 / units.ticks_per_second as f64;
    let booted = DateTime::from_timestamp(boot_time(texts.system_stat)?, 0)?;
    let since_boot = TimeDelta::try_milliseconds((seconds(stat.start_ticks) * 1e3) as i64)?;
    Some(ProcessView {
        cpu_seconds: seconds(stat.cpu_ticks),
        resident_bytes: stat.resident_pages.checked_mul(units.page_bytes)?,
        virtual_bytes: stat.virtual_bytes,
        open_fds,
        max_fds: max_fds(texts.limits),
        start: booted.checked_add_signed(since_boot)?,
        threads: stat.threads,
    })
}

/// Entries of a directory; the handle that reads `/proc/self/fd` is among them and is taken off.
fn count_entries(path: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(path).ok()?.filter_map(Result::ok).count();
    u64::try_from(entries.saturating_sub(1)).ok()
}

/// What `/proc/self/stat` says.
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        // The name stands in brackets and may itself hold blanks and brackets.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Fields are numbered from 1 in proc(5); the first one behind the name is number 3.
        let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<u64>().ok();
        Some(Stat {
            cpu_ticks: field(14)?.checked_add(field(15)?)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// The soft limit on open files; `None`: unlimited or not said.
fn max_fds(limits: &str) -> Option<u64> {
    let rest = limits.lines().find_map(|l| l.strip_prefix("Max open files"))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// Seconds since 1970 at which the system booted.
fn boot_time(stat: &str) -> Option<i64> {
    stat.lines().find_map(|l| l.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::rfc3339;

    /// proc(5) with a name that looks like the fields after it.
    const STAT: &str = "4242 (off) R 1 (hours) S 1 4242 4242 0 -1 4194560 5 0 0 0 250 50 0 0 20 0 7 0 1234 \
                        104857600 2560 18446744073709551615 1 1 0 0\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units\n\
                          Max processes             94000                94000                processes\n\
                          Max open files            1024                 524288               files\n";
    const SYSTEM: &str = "cpu  1 2 3\nctxt 5\nbtime 1762700000\nprocesses 9\n";

    fn check(own_stat: &str, limits: &str, system_stat: &str) -> Option<ProcessView> {
        let texts = Texts { own_stat, limits, system_stat };
        assemble(&texts, &Units { ticks_per_second: 100, page_bytes: 4_096 }, 11)
    }

    #[test]
    fn proc_is_read_as_documented() {
        let view = check(STAT, LIMITS, SYSTEM).unwrap();
        assert_eq!(view.cpu_seconds, 3.0);
        assert_eq!(view.resident_bytes, 2_560 * 4_096);
        assert_eq!(view.virtual_bytes, 104_857_600);
        assert_eq!((view.open_fds, view.max_fds, view.threads), (11, Some(1_024), 7));
        assert_eq!(rfc3339(view.start), "2025-11-09T14:53:32.340Z");
    }

    #[test]
    fn no_limit_is_no_number() {
        let unlimited = LIMITS.replace("1024", "unlimited");
        assert_eq!(check(STAT, &unlimited, SYSTEM).unwrap().max_fds, None);
        assert_eq!(check(STAT, "", SYSTEM).unwrap().max_fds, None);
    }

    #[test]
    fn what_proc_does_not_say_is_nothing() {
        for (stat, system) in [
            ("", SYSTEM),
            ("4242 offhours S 1", SYSTEM),
            ("4242 (offhours) S 1 2 3", SYSTEM),
            (&STAT.replace("2560", "-1"), SYSTEM),
            (&STAT.replace("2560", "18446744073709551615"), SYSTEM),
            (&STAT.replace("1234", "18446744073709551615"), SYSTEM),
            (STAT, "cpu 1\n"),
            (STAT, "btime soon\n"),
            (STAT, "btime 9223372036854775807\n"),
        ] {
            assert_eq!(check(stat, LIMITS, system), None, "{stat:?} {system:?}");
        }
    }

    #[test]
    fn this_process_sees_itself() {
        let view = view();
        assert_eq!(view.is_some(), cfg!(target_os = "linux"));
        if let Some(view) = view {
            assert!(1 <= view.threads && 3 <= view.open_fds && 1_000_000 <= view.resident_bytes);
            assert!(view.start <= crate::clock::now());
        }
    }
}
