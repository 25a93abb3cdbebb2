//! Collects what is wrong: reading goes on after a mistake, so that one look at the file mends them all.

use std::sync::Arc;

use serde_saphyr::Location;

use crate::config::files::Files;
use crate::config::problem::{Error, Fault, Problem};
use crate::config::yaml::{self, Text};
use crate::time::Instant;

/// More problems than this are counted, not told: finding the line of each takes a walk through the file.
const PROBLEMS_MAX: usize = 100;

/// One file being checked.
#[derive(Debug)]
pub struct Check<'t> {
    /// The moment of loading: the holiday table must reach beyond it.
    pub now: Instant,
    /// The first end of a holiday table that an expression asks for, and that expression.
    pub holidays_end: Option<(Instant, Location)>,
    pub files: Files<'t>,
    file: Arc<str>,
    text: &'t str,
    problems: Vec<Problem>,
    omitted: usize,
    warnings: Vec<Problem>,
    /// The file holds secrets: of its lines only the keys are shown.
    is_secret: bool,
}

impl<'t> Check<'t> {
    /// `file` is the path as given, `text` what is in it.
    pub fn new(file: &str, text: &'t str, now: Instant, files: Files<'t>) -> Check<'t> {
        Check {
            now,
            holidays_end: None,
            files,
            file: file.into(),
            text,
            problems: Vec::new(),
            omitted: 0,
            warnings: Vec::new(),
            is_secret: false,
        }
    }

    /// From here on lines of the file are shown up to the first colon only.
    pub fn keep_secrets(&mut self) {
        self.is_secret = true;
    }

    /// A mistake at `at`.
    pub fn error(&mut self, at: Location, fault: impl Into<Fault>) {
        self.error_at(place(at), fault.into());
    }

    /// A mistake inside a scalar: `offset` bytes into its value, where that can be pointed at.
    pub fn error_inside(&mut self, text: &Text, offset: usize, fault: impl Into<Fault>) {
        let (line, column) = place(text.defined);
        let inside = self.is_plain(text).then_some(0).or(self.is_simply_quoted(text).then_some(1));
        let before = text.value.get(..offset).map_or(0, |before| before.chars().count());
        let column = inside.map_or(column, |quote| column + quote + before);
        self.error_at((line, column), fault.into());
    }

    /// A value that has none of the forms it may have.
    pub fn wrong_form(&mut self, at: Location, accepted: &str) {
        let fault = match yaml::is_blank(self.text, at) {
            true => yaml::no_value(),
            false => Fault::new("expected something else here").accepted(accepted),
        };
        self.error(at, fault);
    }

    /// Whether further mistakes are only counted: then they need no elaborate words.
    pub fn is_full(&self) -> bool {
        PROBLEMS_MAX <= self.problems.len()
    }

    /// A doubt: the file is used all the same.
    pub fn warn(&mut self, at: Location, fault: impl Into<Fault>) {
        if PROBLEMS_MAX <= self.warnings.len() {
            return;
        }
        let problem = self.problem(place(at), fault.into());
        if !self.warnings.contains(&problem) {
            self.warnings.push(problem);
        }
    }

    /// The warnings, or everything that is wrong; both in the order of the file.
    pub fn finish(mut self) -> Result<Vec<Problem>, Error> {
        if !self.problems.is_empty() {
            return Err(self.failed());
        }
        self.warnings.sort_by_key(Problem::place);
        Ok(self.warnings)
    }

    /// Everything that is wrong, in the order of the file.
    pub fn failed(mut self) -> Error {
        self.problems.sort_by_key(Problem::place);
        Error::Invalid { problems: self.problems, omitted: self.omitted }
    }

    /// Whether the scalar stands in the file as it is, without quotes, in one line.
    pub fn is_plain(&self, text: &Text) -> bool {
        yaml::rest(self.text, text.defined).is_some_and(|rest| rest.starts_with(&text.value))
    }

    /// Whether the scalar stands in the file as it is between two quotes, in one line.
    fn is_simply_quoted(&self, text: &Text) -> bool {
        let unquoted =
            yaml::rest(self.text, text.defined).and_then(|rest| rest.strip_prefix(['"', '\'']));
        unquoted.is_some_and(|rest| rest.starts_with(&text.value))
    }

    /// The same at the same place (an alias is read more than once) is told once.
    fn error_at(&mut self, place: (usize, usize), fault: Fault) {
        if self.is_full() {
            self.omitted += 1;
            return;
        }
        let problem = self.problem(place, fault);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn problem(&self, (line, column): (usize, usize), fault: Fault) -> Problem {
        let source_line = line.checked_sub(1).and_then(|n| self.text.lines().nth(n));
        let source_line = source_line.unwrap_or_default();
        Problem {
            file: Arc::clone(&self.file),
            line,
            column,
            message: fault.message,
            accepted: fault.accepted,
            suggestion: fault.suggestion,
            source_line: if self.is_secret || may_hold_secret(source_line) {
                key_of(source_line)
            } else {
                source_line.to_owned()
            },
        }
    }
}

/// A password where none belongs is not shown either.
fn may_hold_secret(line: &str) -> bool {
    let url = line.split_once("://").map(|(_, rest)| rest);
    line.contains("password:") || url.is_some_and(|rest| rest.contains('@'))
}

/// The line with everything but a plain key hidden.
fn key_of(line: &str) -> String {
    let key = line.split(':').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-".contains(c);
    match line.contains(':') && key.chars().all(is_plain) {
        true => format!("{key}: ..."),
        false => "...".into(),
    }
}

/// Line and column, 0 where the whole file is meant.
fn place(at: Location) -> (usize, usize) {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    (number(at.line()), number(at.column()))
}
