//! The configuration file: as written -> checked and resolved, with errors that name file, line and column.

mod agreement;
mod alertmanagers;
mod as_read;
mod calendars;
mod cases;
mod check;
mod documents;
mod files;
mod lines;
mod owners;
mod patterns;
mod problem;
mod scalars;
mod sources;
mod suggest;
mod terms;
mod windows;
mod written;
pub(crate) mod yaml;

#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use serde_saphyr::{Location, Spanned};
use sha2::{Digest as _, Sha256};

pub use alertmanagers::{Alertmanager, Paging, PasswordFile, Peer, Scheme, Tls, Url};
pub use as_read::AsRead;
pub use cases::{CaseChange, PolicyCase, load_cases};
pub(crate) use check::Check;
pub(crate) use files::Files;
pub use files::{CalendarFile, Copy, Disk, Library, read_file};
pub(crate) use problem::Fault;
pub use problem::{Error, Problem};
pub(crate) use scalars::Zero;
pub use suggest::suggest;

use crate::event::Event;
use crate::format::Spec;
use crate::policy::{Policy, defaults};
use crate::time::Instant;

/// The largest configuration file that is read: 16 MiB.
pub const FILE_BYTES_MAX: usize = 16 << 20;

/// What `offhours.yml` says.
#[derive(Debug)]
pub struct Config {
    pub policy: Policy,
    /// In the order of the file.
    pub sources: Vec<Source>,
    /// Doubts about a file that is used all the same, in its order.
    pub warnings: Vec<Problem>,
    /// Events that are older than this at first sight are not latched as unacknowledged.
    pub backfill_horizon: TimeDelta,
    /// Calendar files that it names, each once.
    pub calendars: Vec<CalendarFile>,
    /// How long the last good copy of a calendar file counts after it could be read for the last time.
    pub calendar_stale_after: TimeDelta,
    /// Where alerts are posted, and where they send people.
    pub paging: Paging,
    /// What it was read from: with other copies of its calendar files it means something else.
    pub written: AsRead,
}

impl Config {
    /// The same configuration text with the calendar files as they are now.
    ///
    /// # Errors
    /// A calendar file is wrong.
    pub fn again(&self, library: &mut dyn Library) -> Result<Config, Error> {
        let AsRead { path, text, now, .. } = &self.written;
        parse_with(text, path, *now, library)
    }
}

/// A set of files from one partner.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: Arc<str>,
    /// Whose lines it has: one partner, or several that its lines tell apart. Never empty.
    pub partners: Vec<Arc<str>>,
    /// It is a system of our own: believed by its stamps, and what it approves is approved.
    pub ours: bool,
    /// How long after its stamp a record of it may come.
    pub delivered_every: Option<TimeDelta>,
    /// Absolute glob patterns; relative ones are relative to the folder of the configuration file.
    pub patterns: Vec<String>,
    /// Absolute folders and glob patterns in which rotated files may lie.
    pub archive: Vec<String>,
    /// The patterns as they stand in the file.
    pub files_as_written: Vec<String>,
    /// No line for longer than this: the source is silent. `None`: it may be silent for ever.
    pub max_silence: Option<TimeDelta>,
    /// Lines but no event for longer than this: what the source writes is no longer understood.
    pub max_event_silence: Option<TimeDelta>,
    pub spec: Arc<Spec>,
}

impl Source {
    /// Whether it has lines of this partner.
    pub fn is_of(&self, partner: &str) -> bool {
        self.partners.iter().any(|own| **own == *partner)
    }

    /// Whose an event of it is.
    pub fn whose(&self, event: &Event) -> Arc<str> {
        let own = event.partner.as_ref().or(self.partners.first());
        own.cloned().unwrap_or_else(|| "".into())
    }
}

/// Reads and checks the file at `path`. `now` is the moment of loading: public holidays must be known beyond it.
///
/// # Errors
///
/// [`Error::Unreadable`] if there is no such file or it may not be read, else everything that is wrong with it.
pub fn load(path: &Path, now: Instant) -> Result<Config, Error> {
    load_with(path, now, &mut Disk)
}

/// As [`load`], with calendar files from `library`.
///
/// # Errors
///
/// As for [`load`].
pub fn load_with(path: &Path, now: Instant, library: &mut dyn Library) -> Result<Config, Error> {
    let unreadable = |e: std::io::Error| Error::Unreadable {
        file: path.display().to_string().into(),
        reason: format!("cannot be read: {e}"),
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // One byte more than is accepted tells a file that is too large from one that just fits.
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match str::from_utf8(&bytes) {
        Ok(text) => parse_with(text, path, now, library),
        Err(error) => Err(not_utf8(&bytes, error.valid_up_to(), path)),
    }
}

/// Checks `text` as the content of the file at `path`, without reading it. Calendar files are read.
///
/// # Errors
///
/// Everything that is wrong: the first mistake of form (broken YAML, an unknown key, a wrong type), else all
/// mistakes of meaning.
pub fn parse(text: &str, path: &Path, now: Instant) -> Result<Config, Error> {
    parse_with(text, path, now, &mut Disk)
}

fn parse_with(
    text: &str,
    path: &Path,
    now: Instant,
    library: &mut dyn Library,
) -> Result<Config, Error> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut check =
        Check::new(&path.display().to_string(), body, now, Files::new(folder(path), library));
    if FILE_BYTES_MAX < text.len() {
        let fault = Fault::new("file is too large").accepted(format!("{FILE_BYTES_MAX} bytes"));
        check.error(Location::UNKNOWN, fault);
        return Err(check.failed());
    }
    let file: Spanned<written::File> = match yaml::read(body) {
        Ok(file) => file,
        Err((at, fault)) => {
            check.error(at, fault);
            return Err(check.failed());
        }
    };
    let (services, mut partners) = check.agreement(&file);
    let sources = check.sources(&file, &partners, &folder(path));
    for source in sources.iter().filter(|source| source.delivered_every.is_some()) {
        for partner in partners.iter_mut().filter(|partner| source.is_of(&partner.name)) {
            partner.delivered_every = partner.delivered_every.max(source.delivered_every);
        }
    }
    let paging = check.paging(&file.value, &folder(path));
    let horizon = check.duration(&file.value.backfill_horizon, Zero::Allowed);
    check.holidays_left();
    let holidays_end = check.holidays_end.map(|(end, _)| end);
    let stale_after = check.duration(&file.value.calendar_stale_after, Zero::Senseless);
    let mut digest = Sha256::new_with_prefix(text);
    check.files.add_to(&mut digest);
    let digest = hex(&digest.finalize()).into();
    let files = check.files.texts();
    let calendars = std::mem::take(&mut check.files.met);
    Ok(Config {
        policy: Policy { services, partners, digest, holidays_end },
        sources,
        warnings: check.finish()?,
        backfill_horizon: horizon.unwrap_or(defaults::BACKFILL_HORIZON),
        calendars,
        calendar_stale_after: stale_after.unwrap_or(defaults::CALENDAR_STALE_AFTER),
        paging,
        written: AsRead { path: path.to_owned(), text: text.into(), now, files },
    })
}

/// The absolute folder of the file, against which its relative paths stand.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

/// Points at the first byte that is not UTF-8.
fn not_utf8(bytes: &[u8], valid_bytes: usize, path: &Path) -> Error {
    let valid = String::from_utf8_lossy(bytes.get(..valid_bytes).unwrap_or_default());
    let line = valid.matches('\n').count();
    let column = valid.rsplit('\n').next().unwrap_or_default().chars().count();
    let broken = String::from_utf8_lossy(bytes);
    let problem = Problem {
        file: path.display().to_string().into(),
        line: line + 1,
        column: column + 1,
        message: "not UTF-8".into(),
        accepted: None,
        suggestion: None,
        source_line: broken.lines().nth(line).unwrap_or_default().to_owned(),
    };
    Error::Invalid { problems: vec![problem], omitted: 0 }
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
