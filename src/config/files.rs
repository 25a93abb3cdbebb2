//! Calendar files that a configuration names.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;
use sha2::{Digest as _, Sha256};

use crate::calendar::{Calendar, CalendarError, EventsOf, Unused, Zone, ical};
use crate::config::calendars::Owner;
use crate::config::check::Check;
use crate::config::hex;
use crate::config::problem::Fault;
use crate::config::windows::Use;
use crate::config::yaml::Text;

/// A calendar file, as it is known.
#[derive(Clone, Debug)]
pub struct Copy {
    pub text: Arc<[u8]>,
    /// It could not be read for too long: what is in it is not known any more.
    pub is_stale: bool,
}

/// Where the texts of calendar files come from.
pub trait Library: fmt::Debug {
    /// The file at an absolute path.
    ///
    /// # Errors
    /// It cannot be read, and there is no copy of it: the operating system's words, or ours.
    fn open(&mut self, path: &Path) -> Result<Copy, String>;
}

/// The files themselves, as they are now.
#[derive(Debug)]
pub struct Disk;

impl Library for Disk {
    fn open(&mut self, path: &Path) -> Result<Copy, String> {
        read_file(path).map(|text| Copy { text: text.into(), is_stale: false })
    }
}

/// Reads a calendar file: a regular file of at most [`ical::BYTES_MAX`] bytes.
///
/// # Errors
/// In words: there is no such file, it may not be read, is no file, or is too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> std::io::Result<Result<Vec<u8>, String>> {
        // A pipe without a writer must not hold everything up.
        let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
        if !file.metadata()?.is_file() {
            return Ok(Err("not a file".into()));
        }
        let mut text = Vec::new();
        file.take(ical::BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
        let too_large = ical::BYTES_MAX < text.len();
        Ok(if too_large { Err(format!("larger than {} bytes", ical::BYTES_MAX)) } else { Ok(text) })
    };
    read().map_err(|error| format!("cannot be read: {error}"))?
}

/// A calendar file that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarFile {
    /// As it was written first.
    pub name: Arc<str>,
    /// Absolute.
    pub path: PathBuf,
    /// By their byte offsets: events that could not be used, with their place and the reason.
    pub unused: BTreeMap<usize, String>,
}

/// What is asked of a calendar file.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Of the summaries; `None`: all.
    pub pattern: Option<&'a Regex>,
    /// That of times without one, whatever the file says.
    pub zone: Option<&'a Zone>,
    /// Whether it is no mistake if there is no event.
    pub may_be_empty: bool,
    pub used: Use,
}

/// What a file of own holidays says.
#[derive(Debug, Default)]
pub struct OwnDays {
    pub days: Vec<chrono::NaiveDate>,
    /// They are not known any more: its name.
    pub stale: Option<Arc<str>>,
    /// An event of it could not be used, so that nobody knows which days it means.
    pub unread: Option<String>,
}

/// The calendar files met while a configuration is checked.
#[derive(Debug)]
pub struct Files<'l> {
    pub met: Vec<CalendarFile>,
    folder: PathBuf,
    library: &'l mut dyn Library,
    copies: HashMap<PathBuf, Result<Copy, String>>,
    calendars: HashMap<Key, Option<Arc<Calendar>>>,
}

/// What a calendar is made from; `None` for the pattern: all events.
type Key = (PathBuf, Option<String>, String, Option<String>, bool, Use);

impl<'l> Files<'l> {
    /// Relative paths are relative to `folder`.
    pub fn new(folder: PathBuf, library: &'l mut dyn Library) -> Files<'l> {
        Files { met: vec![], folder, library, copies: HashMap::new(), calendars: HashMap::new() }
    }

    fn open(&mut self, name: &str) -> (PathBuf, Result<Copy, String>) {
        let path = self.folder.join(name);
        let copy = match self.copies.get(&path) {
            Some(copy) => copy.clone(),
            None => {
                let file =
                    CalendarFile { name: name.into(), path: path.clone(), unused: BTreeMap::new() };
                self.met.push(file);
                let copy = self.library.open(&path);
                self.copies.insert(path.clone(), copy.clone());
                copy
            }
        };
        (path, copy)
    }

    /// The path of each file, and what it says if that is known.
    pub fn texts(&self) -> Vec<(PathBuf, Option<Arc<[u8]>>)> {
        let text = |path: &PathBuf| match self.copies.get(path) {
            Some(Ok(copy)) if !copy.is_stale => Some(copy.text.clone()),
            _ => None,
        };
        self.met.iter().map(|file| (file.path.clone(), text(&file.path))).collect()
    }

    /// Adds what the files say to what names the policy.
    pub fn add_to(&self, digest: &mut Sha256) {
        for file in &self.met {
            let state = match self.copies.get(&file.path) {
                Some(Ok(copy)) if !copy.is_stale => hex(&Sha256::digest(&copy.text)),
                _ => "stale".into(),
            };
            digest.update(format!("\0{}\0{state}", file.name));
        }
    }
}

impl Check<'_> {
    /// The copy of a calendar file; a mistake at its name if there is none.
    fn calendar_file(&mut self, name: &Text) -> Option<(PathBuf, Copy)> {
        let written = self.text(name)?;
        if written.contains("://") || written.contains('\0') {
            let fault = Fault::new(format!("{written:?} is not a file path"));
            self.error(name.defined, fault.accepted("a file on this machine; nothing is fetched"));
            return None;
        }
        match self.files.open(written) {
            (path, Ok(copy)) => Some((path, copy)),
            (_, Err(message)) => {
                self.error(name.defined, format!("{written}: {message}"));
                None
            }
        }
    }

    /// The events of a file whose summaries match.
    pub fn events_of(
        &mut self,
        name: &Text,
        asked: &Asked<'_>,
        owner: &Owner,
    ) -> Option<Arc<Calendar>> {
        let (path, copy) = self.calendar_file(name)?;
        let Asked { pattern, zone, may_be_empty, used } = *asked;
        let key = (
            path.clone(),
            pattern.map(|p| p.as_str().to_owned()),
            owner.zone.name().to_owned(),
            zone.map(|zone| zone.name().to_owned()),
            may_be_empty,
            used,
        );
        if let Some(known) = self.files.calendars.get(&key) {
            return known.clone();
        }
        let wants = |summary: &str| pattern.is_some_and(|pattern| pattern.is_match(summary));
        let wants: Option<&dyn Fn(&str) -> bool> = pattern.is_some().then_some(&wants);
        let of = EventsOf {
            text: &copy.text,
            name: &name.value,
            zone: &owner.zone,
            given_zone: zone,
            summary: wants,
            tentative: used == Use::Freeze,
            closes: used == Use::Freeze,
            may_be_empty,
        };
        let calendar = match copy.is_stale {
            true => Ok((unknown(&name.value, used), vec![])),
            false => Calendar::events(&of),
        };
        let calendar = match calendar {
            Ok((calendar, unused)) => {
                self.tell_unused(name, &path, &copy, &unused);
                Some(Arc::new(calendar))
            }
            Err(error) => {
                self.mistake_in(name, &copy, &error);
                None
            }
        };
        self.files.calendars.insert(key, calendar.clone());
        calendar
    }

    /// The days of a file of whole-day events, of which days are meant as those of `zone`; `None` if it is wrong.
    pub fn days_of(&mut self, name: &Text, zone: &Zone, may_be_empty: bool) -> Option<OwnDays> {
        let (path, copy) = self.calendar_file(name)?;
        if copy.is_stale {
            return Some(OwnDays { stale: Some(name.value.as_str().into()), ..OwnDays::default() });
        }
        let of = EventsOf {
            text: &copy.text,
            name: &name.value,
            zone,
            given_zone: None,
            summary: None,
            tentative: true,
            closes: false,
            may_be_empty,
        };
        match Calendar::days_of(&of) {
            Ok((days, unused)) => {
                let unread = self.tell_unused(name, &path, &copy, &unused);
                Some(OwnDays { days: days.into_iter().collect(), stale: None, unread })
            }
            Err(error) => {
                self.mistake_in(name, &copy, &error);
                None
            }
        }
    }

    /// Warns of what could not be used, and keeps it; the first of it.
    fn tell_unused(
        &mut self,
        name: &Text,
        path: &Path,
        copy: &Copy,
        unused: &[Unused],
    ) -> Option<String> {
        let mut first = None;
        for one in unused {
            let told = format!("{}:{}: {}", name.value, line_of(copy, one.at), one.message);
            let fault = Fault::new(format!("{told}; not used"));
            self.warn(name.defined, fault.accepted("an event that can be read as a whole"));
            first.get_or_insert_with(|| told.clone());
            if let Some(file) = self.files.met.iter_mut().find(|file| file.path == *path) {
                file.unused.entry(one.event_at).or_insert(told);
            }
        }
        first
    }

    /// A mistake inside a calendar file, told where the configuration names it.
    fn mistake_in(&mut self, name: &Text, copy: &Copy, error: &CalendarError) {
        let line = line_of(copy, error.at);
        self.error(name.defined, format!("{}:{line}: {}", name.value, error.message));
    }
}

/// The line of a byte, from 1.
fn line_of(copy: &Copy, at: usize) -> usize {
    let before = copy.text.get(..at).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// Stands in for what is not known any more: closed either way.
pub fn unknown(name: &str, used: Use) -> Calendar {
    let everything = used == Use::Freeze;
    let says = if everything { "everything is frozen" } else { "no window" };
    Calendar::stand_in(format!("{name} (not readable for too long: {says})"), everything)
}
