//! Calendar files while the program runs: looked at again and again, the last good copy kept for a while.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
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
    trial: Option<Trial>,
}

/// A copy that is tried with the configuration on a thread of its own: of a large file that takes seconds, and the
/// logs must not wait for it.
#[derive(Debug)]
struct Trial {
    file: CalendarFile,
    copy: Copy,
    outcome: Receiver<Result<Config, String>>,
}

/// The copies of all files, for a trial.
#[derive(Debug)]
struct Copies(BTreeMap<PathBuf, Copy>);

impl Library for Copies {
    fn open(&mut self, path: &Path) -> Result<Copy, String> {
        self.0.get(path).cloned().ok_or_else(|| "it was not read".to_owned())
    }
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
    /// An empty shelf: nothing has been read yet.
    pub fn new(now: Instant) -> CalendarShelf {
        CalendarShelf { now, kept: BTreeMap::new(), last_look: None, trial: None }
    }

    /// Before a configuration is loaded: what the files say now is taken over as far as `old` can be used with it.
    pub fn before_load(&mut self, old: &Arc<Config>, now: Instant) -> Option<Config> {
        self.now = now;
        let mut changed = self.finish(true);
        for file in &old.calendars {
            self.look_at(file, old, now);
            changed = self.finish(true).or(changed);
        }
        self.last_look = None;
        changed
    }

    /// Keeps the files of the configuration in force, and forgets the others.
    pub fn settle(&mut self, config: &Config) {
        self.kept.retain(|path, _| config.calendars.iter().any(|file| file.path == *path));
    }

    /// Looks at the files, if it is time, and tries what has changed, one file after the other. If that changes what
    /// the configuration means: what it means now.
    pub fn look(&mut self, config: &Arc<Config>, now: Instant) -> Option<Config> {
        self.now = now;
        if self.trial.is_some() {
            return self.finish(false);
        }
        if self.last_look.is_some_and(|last| last.elapsed() < CALENDAR_POLL) {
            return None;
        }
        self.last_look = Some(Moment::now());
        for file in &config.calendars {
            self.look_at(file, config, now);
            if self.trial.is_some() {
                break;
            }
        }
        None
    }

    fn look_at(&mut self, file: &CalendarFile, config: &Arc<Config>, now: Instant) {
        let found = identity(&file.path);
        let Some(kept) = self.kept.get_mut(&file.path) else { return };
        let untouched = found.is_some() && found == kept.identity;
        if untouched && kept.failing.is_none() {
            kept.read_at = now;
            return;
        }
        if untouched {
            return self.grow_stale(file, config, now);
        }
        kept.identity = found;
        match read_file(&file.path) {
            Ok(text) if *text == *kept.good && !kept.is_stale => self.succeed(&file.path, now),
            Ok(text) => self.begin(file, config, Copy { text: text.into(), is_stale: false }),
            Err(error) => {
                self.fail(file, error);
                self.grow_stale(file, config, now);
            }
        }
    }

    /// Tries a copy of a file with the configuration, beside those that are kept of the others.
    fn begin(&mut self, file: &CalendarFile, config: &Arc<Config>, copy: Copy) {
        let kept = self.kept.iter().map(|(path, kept)| {
            (path.clone(), Copy { text: kept.good.clone(), is_stale: kept.is_stale })
        });
        let mut copies = Copies(kept.collect());
        copies.0.insert(file.path.clone(), copy.clone());
        let (sender, outcome) = channel();
        let config = config.clone();
        std::thread::spawn(move || {
            // Nobody may be waiting any more.
            let _ = sender.send(config.again(&mut copies).map_err(|error| error.to_string()));
        });
        self.trial = Some(Trial { file: file.clone(), copy, outcome });
    }

    /// What became of the trial, if it has ended. The other files are looked at again at once.
    fn finish(&mut self, wait: bool) -> Option<Config> {
        let trial = self.trial.take()?;
        let ended = match wait {
            true => trial.outcome.recv().map_err(|_| TryRecvError::Disconnected),
            false => trial.outcome.try_recv(),
        };
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => {
                self.trial = Some(trial);
                return None;
            }
            Err(TryRecvError::Disconnected) => Err("the file could not be taken apart".to_owned()),
        };
        self.last_look = None;
        let (now, Trial { file, copy, .. }) = (self.now, trial);
        match outcome {
            Ok(config) => {
                let kept = self.kept.get_mut(&file.path)?;
                (kept.good, kept.is_stale) = (copy.text, copy.is_stale);
                if !copy.is_stale {
                    self.succeed(&file.path, now);
                    tracing::info!(calendar = %file.name, "calendar read again");
                    let read = config.calendars.iter().filter(|read| read.path == file.path);
                    for told in read.flat_map(|read| read.unused.values()) {
                        tracing::warn!(calendar = %file.name, told, "event not used");
                    }
                }
                Some(config)
            }
            Err(error) => {
                self.fail(&file, error);
                None
            }
        }
    }

    fn succeed(&mut self, path: &Path, now: Instant) {
        if let Some(kept) = self.kept.get_mut(path) {
            kept.read_at = now;
            kept.failing = None;
        }
    }

    /// The same failure again is counted once.
    fn fail(&mut self, file: &CalendarFile, error: String) {
        let Some(kept) = self.kept.get_mut(&file.path) else { return };
        if kept.failing.as_ref() != Some(&error) {
            kept.errors += 1;
            tracing::error!(calendar = %file.name, error, "calendar cannot be used, the last good copy stays");
            kept.failing = Some(error);
        }
    }

    /// What was not read for too long is not known any more.
    fn grow_stale(&mut self, file: &CalendarFile, config: &Arc<Config>, now: Instant) {
        let Some(kept) = self.kept.get_mut(&file.path) else { return };
        if kept.is_stale || now - kept.read_at <= config.calendar_stale_after {
            return;
        }
        tracing::error!(calendar = %file.name, "calendar has not been readable for too long: its windows are closed and its freezes hold");
        let text = kept.good.clone();
        self.begin(file, config, Copy { text, is_stale: true });
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
                unused: file.unused.len() as u64,
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
