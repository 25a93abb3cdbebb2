//! Lines that a regular expression takes apart: its named groups are the fields.

use ::regex::bytes::{Regex, RegexBuilder};

use super::reading::Reason;
use super::scan::{Fault, Keys, Put, Value};
use super::spec::Pattern;

/// Memory that one compiled pattern may take, and that its lazy automaton may take: matching is linear in
/// the line, so that compiling is all that a pattern could exhaust.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Compiles a regular expression within [`PATTERN_BYTES_MAX`]; `.` does not match a line break, and `^` and `$` are
/// the ends of the whole text, unless the expression says otherwise (`(?sm)`).
///
/// # Errors
/// What is wrong with it, or that it is too large, in one line.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| reason(&error))
}

fn reason(error: &::regex::Error) -> String {
    match error {
        ::regex::Error::CompiledTooBig(limit) => {
            format!("compiled it takes more than {limit} bytes")
        }
        error => {
            // The crate draws the pattern with a marker below it; the last line says what is wrong.
            let text = error.to_string();
            let told = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
            told.map_or_else(|| text.replace('\n', " "), str::to_owned)
        }
    }
}

/// The forms of a line, with the slots of what they say.
#[derive(Debug)]
pub(super) struct Forms(Vec<Form>);

#[derive(Debug)]
struct Form {
    regex: Regex,
    groups: Vec<Option<usize>>,
    constants: Vec<(usize, String)>,
    ignore: bool,
}

impl Forms {
    /// `slot` is that of a field.
    pub(super) fn new(
        patterns: &[Pattern],
        keys: &Keys,
        slot: impl Fn(super::Field) -> Option<usize>,
    ) -> Forms {
        let form = |pattern: &Pattern| Form {
            regex: pattern.regex.clone(),
            groups: pattern.regex.capture_names().map(|name| keys.slot(&[name?])).collect(),
            constants: pattern
                .constants
                .iter()
                .filter_map(|(field, value)| Some((slot(*field)?, value.clone())))
                .collect(),
            ignore: pattern.ignore,
        };
        Forms(patterns.iter().map(form).collect())
    }

    /// Takes the line apart by the first form that it has.
    pub(super) fn scan<'l>(&self, text: &'l str, put: Put<'_, 'l>) -> Result<(), Fault> {
        for form in &self.0 {
            let Some(captures) = form.regex.captures(text.as_bytes()) else { continue };
            for (slot, value) in &form.constants {
                put(*slot, Value::text(value.clone(), 0));
            }
            for (slot, group) in form.groups.iter().zip(captures.iter()) {
                // A group that takes no part in the match is a missing value.
                if let (Some(slot), Some(group)) = (slot, group) {
                    // Lossy, because a pattern with (?-u) may cut a character in two.
                    let text = String::from_utf8_lossy(group.as_bytes());
                    put(*slot, Value::text(text, group.start()));
                }
            }
            return if form.ignore { Err(Fault::noise()) } else { Ok(()) };
        }
        let detail = match self.0.as_slice() {
            [_] => "the pattern does not match the line",
            _ => "none of the patterns matches the line",
        };
        Err(Fault::other(Reason::NoMatch, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Field;
    use super::super::tests::scanned;
    use super::*;

    fn check(pattern: &str, line: &str, want: Option<&[(&str, &str)]>) {
        let plain = Pattern::plain(compile(pattern).unwrap());
        let found = scanned(&["time", "event"], |keys, put| {
            Forms::new(&[plain], keys, |_| None).scan(line, put)
        });
        let want = want.map(|w| w.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        assert_eq!(found.map_err(|fault| fault.reason), want.ok_or(Reason::NoMatch), "{line}");
    }

    #[test]
    fn groups_are_fields() {
        let pattern = r"^(?P<time>\S+) (?<event>\w+)(?: (?P<other>.*))?$";
        check(pattern, "12:00 started", Some(&[("time", "12:00"), ("event", "started")]));
        check(pattern, "12:00 started x", Some(&[("time", "12:00"), ("event", "started")]));
        check(pattern, "12:00", None);
        check(r"(?P<time>\d+)?x", "x", Some(&[]));
        check(r"(?-u)(?P<time>.)", "ü", Some(&[("time", "\u{fffd}")]));
    }

    #[test]
    fn the_first_form_that_fits_counts_and_its_groups_before_its_constants() {
        let form = |regex: &str, event: &str, ignore| Pattern {
            regex: compile(regex).unwrap(),
            constants: vec![(Field::Event, event.to_owned())],
            ignore,
        };
        let forms = [
            form("^(?P<time>.*) begins$", "started", false),
            form("^(?P<time>.*) ends as (?P<event>.*)$", "finished", false),
            form("^(?P<time>.*) end", "finished", false),
            form("^(?P<time>.*) hums$", "phase", true),
        ];
        for (line, want) in [
            ("1 begins", Ok("started 1")),
            ("2 ends", Ok("finished 2")),
            ("3 ends as failed", Ok("failed 3")),
            ("4 hums", Err(true)),
            ("5", Err(false)),
        ] {
            let found = scanned(&["time", "event"], |keys, put| {
                Forms::new(&forms, keys, |_| Some(1)).scan(line, put)
            });
            let found = found.map(|found| format!("{} {}", found["event"], found["time"]));
            assert_eq!(found.map_err(|fault| fault.is_noise), want.map(str::to_owned), "{line}");
        }
    }

    #[test]
    fn a_pattern_error_is_told_in_one_line() {
        for (pattern, want) in [
            ("(a", "unclosed group"),
            ("a{2,1}", "invalid repetition count range, the start must be <= the end"),
            ("(?P<a>x)(?P<a>y)", "duplicate capture group name"),
            ("(?P<a>x){1000}{1000}{1000}", "compiled it takes more than 1048576 bytes"),
        ] {
            assert_eq!(compile(pattern).unwrap_err(), want);
        }
    }
}
