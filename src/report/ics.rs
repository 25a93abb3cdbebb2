//! Writes iCalendar files (RFC 5545) for people's calendars.

use sha2::{Digest, Sha256};

use crate::time::{Instant, Span};

/// Octets of a line at most, without its break (RFC 5545, 3.1).
const LINE_BYTES: usize = 75;

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// What stays the same from file to file; any text.
    pub uid: String,
    pub span: Span,
    pub summary: String,
    pub description: String,
    /// `TENTATIVE`, `CONFIRMED` or `CANCELLED`.
    pub status: &'static str,
    /// It takes the time of whoever has it in a calendar.
    pub busy: bool,
}

/// A whole file, all times in UTC. `now` is the stamp of each event.
pub fn file(name: &str, events: &[Event], now: Instant) -> String {
    let mut text = String::new();
    let mut line = |content: String| fold(&mut text, &content);
    line("BEGIN:VCALENDAR".into());
    line("VERSION:2.0".into());
    line(format!("PRODID:-//offhours//{}//EN", env!("CARGO_PKG_VERSION")));
    line("CALSCALE:GREGORIAN".into());
    line("METHOD:PUBLISH".into());
    line(format!("X-WR-CALNAME:{}", escaped(name)));
    for event in events {
        line("BEGIN:VEVENT".into());
        line(format!("UID:{}@offhours", digest(&event.uid)));
        line(format!("DTSTAMP:{}", stamp(now)));
        line(format!("DTSTART:{}", stamp(event.span.start)));
        line(format!("DTEND:{}", stamp(event.span.end)));
        line(format!("SUMMARY:{}", escaped(&event.summary)));
        if !event.description.is_empty() {
            line(format!("DESCRIPTION:{}", escaped(&event.description)));
        }
        line(format!("STATUS:{}", event.status));
        line(format!("TRANSP:{}", if event.busy { "OPAQUE" } else { "TRANSPARENT" }));
        line("END:VEVENT".into());
    }
    line("END:VCALENDAR".into());
    text
}

/// A name of fixed length without anything that would need escaping.
fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|b| format!("{b:02x}")).collect()
}

fn stamp(t: Instant) -> String {
    t.format("%Y%m%dT%H%M%SZ").to_string()
}

/// TEXT as RFC 5545, 3.3.11 writes it; other control characters have no place in a file.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Adds a content line, folded between characters.
fn fold(text: &mut String, content: &str) {
    let mut bytes = 0;
    for c in content.chars() {
        if LINE_BYTES < bytes + c.len_utf8() {
            text.push_str("\r\n ");
            bytes = 1;
        }
        text.push(c);
        bytes += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters_and_text_is_escaped() {
        for (content, want) in [
            ("a".repeat(75), format!("{}\r\n", "a".repeat(75))),
            ("a".repeat(76), format!("{}\r\n a\r\n", "a".repeat(75))),
            (format!("{}é", "a".repeat(74)), format!("{}\r\n é\r\n", "a".repeat(74))),
            ("a".repeat(150), format!("{}\r\n {}\r\n a\r\n", "a".repeat(75), "a".repeat(74))),
        ] {
            let mut text = String::new();
            fold(&mut text, &content);
            assert_eq!(text, want);
        }
        assert_eq!(escaped("a;b,c\\d\ne\u{7}f"), "a\\;b\\,c\\\\d\\ne f");
    }
}
