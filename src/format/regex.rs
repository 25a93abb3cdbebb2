//! Lines that a regular expression takes apart: its named groups are the fields.

use ::regex::bytes::{Regex, RegexBuilder};

use super::reading::Reason;
use super::scan::{Fault, Keys, Put, Value};
use super::spec::Pattern;
use super::{Format, Options};

/// The most memory that a compiled pattern, and its cache, may take. Matching is linear in the line, so the
/// only harm a pattern can do is its size.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Compiles a pattern from a configuration. The error says what is wrong with it or that it is too big; a
/// pattern without a named group is wrong, because nothing could be read with it.
pub fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    let regex = compile(pattern)?;
    if regex.capture_names().flatten().next().is_none() {
        return Err("pattern has no named group, such as (?P<time>\\S+)".to_owned());
    }
    Ok(regex)
}

/// Compiles a regular expression within [`PATTERN_BYTES_MAX`]; `.` does not match a line break, and `^` and `$` are
/// the ends of the whole text, unless the expression says otherwise (`(?sm)`). The error is a sentence.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| match error {
            ::regex::Error::CompiledTooBig(limit) => {
                format!("pattern needs more than {limit} bytes of memory when compiled")
            }
            // The crate draws the pattern with a marker below it; the last line says what is wrong.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!("bad pattern: {}", last.trim_start_matches("error: "))
            }
        })
}

/// A format from its options.
pub(super) fn make(options: &Options) -> Result<Format, String> {
    let pattern = options.pattern.ok_or("format regex needs a pattern")?;
    compile_pattern(pattern).map(|regex| Format::Regex(vec![Pattern::plain(regex)]))
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
        let plain = Pattern::plain(compile_pattern(pattern).unwrap());
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
    fn patterns_are_checked() {
        for (pattern, want) in [
            ("(?P<a>", "bad pattern: unclosed group"),
            (
                "(?P<a>x){1000}{1000}{1000}",
                "pattern needs more than 1048576 bytes of memory when compiled",
            ),
            ("x", "pattern has no named group, such as (?P<time>\\S+)"),
            ("(x)", "pattern has no named group, such as (?P<time>\\S+)"),
        ] {
            assert_eq!(compile_pattern(pattern).unwrap_err(), want);
        }
        assert!(compile_pattern(r"^(?P<time>\w{3} +\d+ [\d:]+) (?P<event>.*)$").is_ok());
    }
}
