//! What is wrong with a configuration, written for the person who has to mend it.

use std::fmt;
use std::sync::Arc;

use crate::config::suggest::suggest;

/// A source line is shown up to this many characters, around the caret.
const SHOWN_CHARS_MAX: usize = 120;
/// More valid names than this are counted, not told.
const NAMES_MAX: usize = 24;

/// Why there is no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The file cannot be read at all. `reason` is the operating system's.
    Unreadable { file: Arc<str>, reason: String },
    /// At least one problem, in the order of the file.
    Invalid { problems: Vec<Problem>, omitted: usize },
}

/// One mistake (or, as a warning, one doubt) and the place where it stands.
///
/// `Display` gives `file:line:column: message`, the line with a caret under it, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path as it was given.
    pub file: Arc<str>,
    /// From 1; 0 if the whole file is meant.
    pub line: usize,
    /// In characters, from 1; 0 if the whole file is meant.
    pub column: usize,
    pub message: String,
    /// What may stand there instead.
    pub accepted: Option<String>,
    /// The nearest valid name.
    pub suggestion: Option<String>,
    /// The line as it stands in the file.
    pub source_line: String,
}

/// A problem without its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub accepted: Option<String>,
    pub suggestion: Option<String>,
}

impl Fault {
    /// Lower case, without full stop.
    pub fn new(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), ..Fault::default() }
    }

    /// Says what would be right.
    pub fn accepted(self, accepted: impl Into<String>) -> Fault {
        Fault { accepted: Some(accepted.into()), ..self }
    }

    /// Adds the name among `valid` that is nearest to `word`.
    pub fn nearest<'a>(self, word: &str, valid: impl IntoIterator<Item = &'a str>) -> Fault {
        Fault { suggestion: suggest(word, valid).map(str::to_owned), ..self }
    }

    /// `word` is none of `valid`: says all of them (or some of many), and the nearest.
    pub fn one_of(self, word: &str, valid: &[&str]) -> Fault {
        let mut names = valid.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ");
        if NAMES_MAX < valid.len() {
            names.push_str(&format!(" and {} more", valid.len() - NAMES_MAX));
        }
        let fault = if valid.is_empty() { self } else { self.accepted(names) };
        fault.nearest(word, valid.iter().copied())
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Fault {
        Fault::new(message)
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault::new(message)
    }
}

impl std::error::Error for Error {}

impl Problem {
    /// Line and column, for sorting.
    pub fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreadable { file, reason } => write!(f, "{file}: {reason}"),
            Error::Invalid { problems, omitted } => {
                for (i, problem) in problems.iter().enumerate() {
                    write!(f, "{}{problem}", if i == 0 { "" } else { "\n\n" })?;
                }
                match omitted {
                    0 => Ok(()),
                    n => write!(f, "\n\nand {n} more"),
                }
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if 0 < self.line {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", self.message)?;
        if 0 < self.line {
            let (shown, indent) = shown(&self.source_line, self.column);
            write!(f, "\n{:>6} | {shown}\n{:>6} | {:indent$}^", self.line, "", "")?;
        }
        if let Some(accepted) = &self.accepted {
            write!(f, "\n  accepted: {accepted}")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "\n  did you mean {suggestion:?}?")?;
        }
        Ok(())
    }
}

/// The part of `line` around `column` that is shown, and by how much the caret under it is indented.
///
/// Each control character becomes one harmless one: a terminal must not obey the file, and the caret stays
/// under its character.
fn shown(line: &str, column: usize) -> (String, usize) {
    let at = column.saturating_sub(1);
    let too_many = line.chars().count().max(at).saturating_sub(SHOWN_CHARS_MAX);
    let skipped = at.saturating_sub(SHOWN_CHARS_MAX / 2).min(too_many);
    let rest = line.chars().skip(skipped);
    let text: String = rest.take(SHOWN_CHARS_MAX).map(harmless).collect();
    (text.trim_end().to_owned(), at - skipped)
}

fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        // Bidirectional overrides would put the caret under another character than the one that is meant.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: usize, column: usize, source_line: &str) -> Problem {
        Problem {
            file: "a.yml".into(),
            line,
            column,
            message: "no such key".into(),
            accepted: None,
            suggestion: None,
            source_line: source_line.into(),
        }
    }

    #[track_caller]
    fn check(problem: Problem, want: &str) {
        assert_eq!(problem.to_string(), want);
    }

    #[test]
    fn the_caret_stands_under_the_column() {
        check(
            problem(3, 5, "  a b: c"),
            "a.yml:3:5: no such key\n     3 |   a b: c\n       |     ^",
        );
        check(problem(3, 1, ""), "a.yml:3:1: no such key\n     3 | \n       | ^");
        check(
            problem(9, 4, "\té\x1bx"),
            "a.yml:9:4: no such key\n     9 |  é\u{fffd}x\n       |    ^",
        );
        check(
            problem(1, 2, "\u{202e}x"),
            "a.yml:1:2: no such key\n     1 | \u{fffd}x\n       |  ^",
        );
        check(problem(0, 0, ""), "a.yml: no such key");
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        let line = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        for column in [1, 60, 61, 62, 501, 1001] {
            let (text, indent) = shown(&line, column);
            assert!(text.chars().count() <= SHOWN_CHARS_MAX);
            assert_eq!(text.chars().nth(indent), line.chars().nth(column - 1), "{column}");
        }
        assert_eq!(shown(&line, 501).0.chars().filter(|c| *c == 'b').count(), 59);
        assert_eq!(shown(&"a".repeat(120), 110), ("a".repeat(120), 109), "what fits is shown");
    }

    #[test]
    fn what_would_be_right_follows() {
        let fault = Fault::new("no such key").one_of("noticee", &["notice", "early"]);
        let mut told = problem(1, 1, "noticee: 1");
        told.accepted = fault.accepted;
        told.suggestion = fault.suggestion;
        check(
            told,
            "a.yml:1:1: no such key\n     1 | noticee: 1\n       | ^\n  accepted: notice, early\n  did you mean \"notice\"?",
        );
        assert_eq!(Fault::from("x").one_of("zzzzzz", &["notice"]).suggestion, None);
        assert_eq!(Fault::from("x").one_of("zzzzzz", &[]).accepted, None);
        let many = Fault::from("x").one_of("zzzzzz", &["y"; 30]).accepted.unwrap();
        assert!(many.ends_with("y, y and 6 more"), "{many}");
    }

    #[test]
    fn problems_are_parted_by_an_empty_line() {
        let two = vec![problem(0, 0, ""), problem(0, 0, "")];
        let error = Error::Invalid { problems: two, omitted: 3 };
        assert_eq!(error.to_string(), "a.yml: no such key\n\na.yml: no such key\n\nand 3 more");
        let error = Error::Unreadable { file: "a.yml".into(), reason: "gone".into() };
        assert_eq!(error.to_string(), "a.yml: gone");
    }
}
