//! The log on standard error in logfmt: one record a line, whatever the values hold.

use std::fmt::{self, Debug, Write as _};

use anstyle::{AnsiColor, Style};
use chrono::SecondsFormat;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::table::is_unshown;
use crate::clock;

/// `time=... level=... msg="..." key=value ...`
pub struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let time = clock::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let (level, style) = match *event.metadata().level() {
            Level::ERROR => ("error", Style::new().fg_color(Some(AnsiColor::Red.into()))),
            Level::WARN => ("warn", Style::new().fg_color(Some(AnsiColor::Yellow.into()))),
            Level::INFO => ("info", Style::new()),
            Level::DEBUG => ("debug", Style::new().dimmed()),
            Level::TRACE => ("trace", Style::new().dimmed()),
        };
        match out.has_ansi_escapes() {
            true => write!(out, "time={time} level={style}{level}{style:#}")?,
            false => write!(out, "time={time} level={level}")?,
        }
        let mut pairs = Pairs { out: &mut out, outcome: Ok(()) };
        event.record(&mut pairs);
        pairs.outcome?;
        writeln!(out)
    }
}

struct Pairs<'a, 'w> {
    out: &'a mut Writer<'w>,
    outcome: fmt::Result,
}

impl Pairs<'_, '_> {
    fn add(&mut self, field: &Field, value: &str) {
        let key = if field.name() == "message" { "msg" } else { field.name() };
        let written = write!(self.out, " {key}={}", quoted(value));
        self.outcome = self.outcome.and(written);
    }
}

impl Visit for Pairs<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

/// A value as it is written: in quotes where it has to be, with everything spelled out that would end the line or
/// act on a terminal (CWE-117).
pub(super) fn quoted(value: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !is_unshown(c) && !matches!(c, '"' | '=' | '\\');
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.into();
    }
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if is_unshown(c) => {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_end_their_line() {
        for (value, want) in [
            ("plain", "plain"),
            ("/var/log/a.log", "/var/log/a.log"),
            ("Größe", "Größe"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a=b", "\"a=b\""),
            ("say \"no\" \\", "\"say \\\"no\\\" \\\\\""),
            ("a\nlevel=error\r\tb", "\"a\\nlevel=error\\r\\tb\""),
            ("\u{1b}[31m\u{0}", "\"\\u001b[31m\\u0000\""),
            ("\u{202e}x\u{2028}\u{85}", "\"\\u202ex\\u2028\\u0085\""),
        ] {
            assert_eq!(quoted(value), want, "{value:?}");
        }
    }
}
