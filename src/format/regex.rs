//! Lines that a regular expression takes apart: its named groups are the fields.

use ::regex::bytes::{Regex, RegexBuilder};

use super::reading::Reason;
use super::scan::{Fault, Keys, Put, Value};
use super::{Format, Options};

/// The most memory that a compiled pattern, and its cache, may take. Matching is linear in the line, so the
/// only harm a pattern can do is its size.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Compiles a pattern from a configuration. The error says what is wrong with it or that it is too big; a
/// pattern without a named group is wrong, because nothing could be read with it.
pub fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern)
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
        })?;
    if regex.capture_names().flatten().next().is_none() {
        return Err("pattern has no named group, such as (?P<time>\\S+)".to_owned());
    }
    Ok(regex)
}

/// A format from its options.
pub(super) fn make(options: &Options) -> Result<Format, String> {
    let pattern = options.pattern.ok_or("format regex needs a pattern")?;
    compile_pattern(pattern).map(Format::Regex)
}

/// The slot of each group.
pub(super) fn groups(regex: &Regex, keys: &Keys) -> Vec<Option<usize>> {
    regex.capture_names().map(|name| keys.slot(&[name?])).collect()
}

/// `groups` comes from [`groups`]. A group that takes no part in the match is a missing value.
pub(super) fn scan<'l>(
    text: &'l str,
    regex: &Regex,
    groups: &[Option<usize>],
    put: Put<'_, 'l>,
) -> Result<(), Fault> {
    let Some(captures) = regex.captures(text.as_bytes()) else {
        return Err(Fault::other(Reason::NoMatch, "the pattern does not match the line"));
    };
    for (slot, group) in groups.iter().zip(captures.iter()) {
        if let (Some(slot), Some(group)) = (slot, group) {
            // Lossy, because a pattern with (?-u) may cut a character in two.
            put(*slot, Value::text(String::from_utf8_lossy(group.as_bytes()), group.start()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::scanned;
    use super::*;

    fn check(pattern: &str, line: &str, want: Option<&[(&str, &str)]>) {
        let regex = compile_pattern(pattern).unwrap();
        let found =
            scanned(&["time", "event"], |keys, put| scan(line, &regex, &groups(&regex, keys), put));
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
