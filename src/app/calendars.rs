//! Calendar files while the program runs: looked at again and again, the last good copy kept for a while.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use crate::config::{CalendarFile, Config, Copy, Library, read_file};
use crate::metrics::CalendarView;
use crate::time::Instant;

/// How often calendar files are looked at.
pub const CALENDAR_POLL: Duration = Duration::from_secs(2);

/// What tells that a file has changed: device, inode, size, and the nanoseconds of its last two changes.
type Identity = (u64, u64, u64, i128, i128);

/// One calendar file.
#[derive(Debug)]
struct Kept {
    /// The last copy that could be used.
    good: Arc<[u8]>,
    /// As the file was when it was read for the last time, whatever became of it.
    identity: Option<Identity>,
    /// When it was last found to be as the good copy says.
    read_at: Instant,
    /// Why it is not, if it is not.
    failing: Option<String>,
    is_stale: bool,
    errors: u64,
}

/// All calendar files of the configuration.
#[derive(Debug)]
pub struct CalendarShelf {
    now: Instant,
    kept: BTreeMap<PathBuf, Kept>,
    last_look: Option<Moment>,
}

impl Library for CalendarShelf {
    fn open(&mut self, path: &Path) -> Result<Copy, String> {
        if let Some(kept) = self.kept.get(path) {
            return Ok(Copy { text: kept.good.clone(), is_stale: kept.is_stale });
        }
        let identity = identity(path);
        let good: Arc<[u8]> = read_file(path)?.into();
        let kept = Kept {
            good: good.clone(),
            identity,
            read_at: self.now,
            failing: None,
            is_stale: false,
            errors: 0,
        };
        self.kept.insert(path.to_owned(), kept);
        Ok(Copy { text: good, is_stale: false })
    }
}

impl CalendarShelf {
    pub fn new(now: Instant) -> CalendarShelf {
        CalendarShelf { now, kept: BTreeMap::new(), last_look: None }
    }

    /// Before a configuration is loaded: what the files say now is taken over as far as `old` can be used with it.
    pub fn before_load(&mut self, old: &Config, now: Instant) -> Option<Config> {
        self.last_look = None;
        self.look(old, now)
    }

    /// Keeps the files of the configuration in force, and forgets the others.
    pub fn settle(&mut self, config: &Config) {
        self.kept.retain(|path, _| config.calendars.iter().any(|file| file.path == *path));
    }

    /// Looks at the files, if it is time. If that changes what the configuration means: what it means now.
    pub fn look(&mut self, config: &Config, now: Instant) -> Option<Config> {
        if self.last_look.is_some_and(|last| last.elapsed() < CALENDAR_POLL) {
            return None;
        }
        self.last_look = Some(Moment::now());
        self.now = now;
        let mut changed = None;
        for file in &config.calendars {
            changed = self.look_at(file, config, now).or(changed);
        }
        changed
    }

    fn look_at(&mut self, file: &CalendarFile, config: &Config, now: Instant) -> Option<Config> {
        let found = identity(&file.path);
        let kept = self.kept.get_mut(&file.path)?;
        let untouched = found.is_some() && found == kept.identity;
        if untouched && kept.failing.is_none() {
            kept.read_at = now;
            return None;
        }
        if untouched {
            return self.grow_stale(file, config, now);
        }
        kept.identity = found;
        let read = read_file(&file.path);
        let text: Arc<[u8]> = match read {
            Ok(text) => text.into(),
            Err(error) => return self.fail(file, config, error, now),
        };
        let old = std::mem::replace(&mut kept.good, text);
        let was_stale = std::mem::replace(&mut kept.is_stale, false);
        if old == kept.good && !was_stale {
            self.succeed(file, now);
            return None;
        }
        match config.again(self) {
            Ok(config) => {
                self.succeed(file, now);
                tracing::info!(calendar = %file.name, "calendar read again");
                Some(config)
            }
            Err(error) => {
                let kept = self.kept.get_mut(&file.path)?;
                (kept.good, kept.is_stale) = (old, was_stale);
                self.fail(file, config, error.to_string(), now)
            }
        }
    }

    fn succeed(&mut self, file: &CalendarFile, now: Instant) {
        if let Some(kept) = self.kept.get_mut(&file.path) {
            kept.read_at = now;
            kept.failing = None;
        }
    }

    /// The same failure again is counted once.
    fn fail(
        &mut self,
        file: &CalendarFile,
        config: &Config,
        error: String,
        now: Instant,
    ) -> Option<Config> {
        let kept = self.kept.get_mut(&file.path)?;
        if kept.failing.as_ref() != Some(&error) {
            kept.errors += 1;
            tracing::error!(calendar = %file.name, error, "calendar cannot be used, the last good copy stays");
            kept.failing = Some(error);
        }
        self.grow_stale(file, config, now)
    }

    /// What was not read for too long is not known any more.
    fn grow_stale(&mut self, file: &CalendarFile, config: &Config, now: Instant) -> Option<Config> {
        let kept = self.kept.get_mut(&file.path)?;
        if kept.is_stale || now - kept.read_at <= config.calendar_stale_after {
            return None;
        }
        kept.is_stale = true;
        tracing::error!(calendar = %file.name, "calendar was not readable for too long: nothing may run by it");
        match config.again(self) {
            Ok(config) => Some(config),
            Err(error) => {
                tracing::error!(%error, "the configuration does not load with a stale calendar");
                None
            }
        }
    }

    /// What may be shown of the files of `config`.
    pub fn views(&self, config: &Config) -> Vec<CalendarView> {
        let view = |file: &CalendarFile| {
            let kept = self.kept.get(&file.path)?;
            Some(CalendarView {
                name: file.name.clone(),
                errors: kept.errors,
                read_at: kept.read_at,
                is_stale: kept.is_stale,
            })
        };
        config.calendars.iter().filter_map(view).collect()
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let m = std::fs::metadata(path).ok()?;
    let (modified, changed) = (nanos(m.mtime(), m.mtime_nsec()), nanos(m.ctime(), m.ctime_nsec()));
    Some((m.dev(), m.ino(), m.size(), modified, changed))
}

#[cfg(test)]
mod tests;
