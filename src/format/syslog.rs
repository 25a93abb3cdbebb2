//! Syslog lines as files hold them: RFC 5424 and RFC 3164, both with or without the priority in front.

use std::borrow::Cow;

use super::scan::{Fault, Keys, Put, Value};
use super::stamp::{is_rfc3339, syslog_length};

/// The header's time stamp: the time of the line where `time` is not mapped.
pub(super) const TIMESTAMP: &str = "timestamp";

/// The key of the free text.
pub(super) const MESSAGE: &str = "message";

/// RFC 5424 section 6: nothing is known.
const NIL: &str = "-";

/// Keys of a line beside its structured data, whose parameters are `SD-ID.PARAM`.
pub(super) const SYSLOG_KEYS: [&str; 9] = [
    TIMESTAMP, "hostname", "app_name", "proc_id", "msg_id", MESSAGE, "priority", "facility",
    "severity",
];

/// Hands over the header and the structured data, and returns the free text and where it starts. A field may
/// be addressed as `timestamp hostname app_name proc_id msg_id message priority facility severity` (the last
/// three as numbers) or as `SD-ID.PARAM`.
pub(super) fn scan<'l>(
    text: &'l str,
    keys: &Keys,
    put: Put<'_, 'l>,
) -> Result<(&'l str, usize), Fault> {
    let mut header = Header { text, at: 0, keys, put };
    header.priority();
    let rest = header.rest();
    if let Some(version) = rest.strip_prefix("1 ") {
        header.at = text.len() - version.len();
        header.rfc5424()?;
    } else {
        header.rfc3164()?;
    }
    let (message, at) = (header.rest(), header.at);
    header.found(MESSAGE, message, at);
    Ok((message, at))
}

struct Header<'l, 'c, 'p> {
    text: &'l str,
    at: usize,
    keys: &'c Keys,
    put: Put<'p, 'l>,
}

impl<'l> Header<'l, '_, '_> {
    fn rest(&self) -> &'l str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn found(&mut self, key: &str, value: impl Into<Cow<'l, str>>, at: usize) {
        if let Some(slot) = self.keys.slot(&[key]) {
            (self.put)(slot, Value::text(value, at));
        }
    }

    /// `<PRI>`: facility * 8 + severity, at most 191. Anything else is left for what follows.
    fn priority(&mut self) {
        let Some((number, _)) = self.rest().strip_prefix('<').and_then(|r| r.split_once('>'))
        else {
            return;
        };
        let is_written_so = number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
        let Some(priority) = number.parse::<u8>().ok().filter(|p| is_written_so && *p <= 191)
        else {
            return;
        };
        self.found("priority", number, 1);
        self.found("facility", (priority / 8).to_string(), 1);
        self.found("severity", (priority % 8).to_string(), 1);
        self.at += number.len() + 2;
    }

    fn rfc5424(&mut self) -> Result<(), Fault> {
        for key in [TIMESTAMP, "hostname", "app_name", "proc_id", "msg_id"] {
            let at = self.at;
            let Some((value, _)) = self.rest().split_once(' ') else {
                return Err(Fault::syntax(at, "the rfc 5424 header ends too early"));
            };
            if key == TIMESTAMP && value != NIL && !is_rfc3339(value) {
                return Err(Fault::syntax(at, "expected an rfc 3339 time stamp or -"));
            }
            if value != NIL {
                self.found(key, value, at);
            }
            self.at += value.len() + 1;
        }
        self.structured_data()?;
        let rest = self.rest();
        let message = rest.strip_prefix(' ').unwrap_or(rest);
        self.at = self.text.len() - message.trim_start_matches('\u{feff}').len();
        Ok(())
    }

    /// `-` or `[ID name="value" ...]...`.
    fn structured_data(&mut self) -> Result<(), Fault> {
        if self.take(b'-') {
            return self.border();
        }
        if self.peek() != Some(b'[') {
            return Err(Fault::syntax(self.at, "expected structured data or -"));
        }
        while self.take(b'[') {
            let id = self.name()?;
            while self.take(b' ') {
                self.parameter(id)?;
            }
            if !self.take(b']') {
                return Err(Fault::syntax(self.at, "expected a blank or a closing bracket"));
            }
        }
        self.border()
    }

    fn border(&self) -> Result<(), Fault> {
        match self.peek() {
            None | Some(b' ') => Ok(()),
            Some(_) => Err(Fault::syntax(self.at, "expected a blank behind the structured data")),
        }
    }

    fn parameter(&mut self, id: &str) -> Result<(), Fault> {
        let name = self.name()?;
        if !self.take(b'=') || !self.take(b'"') {
            return Err(Fault::syntax(self.at, "expected =\" and a value"));
        }
        let start = self.at;
        loop {
            let rest = self.rest();
            let Some(length) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) else {
                return Err(Fault::syntax(start - 1, "the value that starts here does not end"));
            };
            self.at += length;
            if self.peek() == Some(b'"') {
                break;
            }
            // The escaped character is passed over only if it is one byte; of others the backslash stays.
            self.at += 1;
            self.at += usize::from(self.peek().is_some_and(|b| b"\"\\]".contains(&b)));
        }
        if let Some(slot) = self.keys.slot(&[id, ".", name]) {
            let raw = self.text.get(start..self.at).unwrap_or_default();
            (self.put)(slot, Value::text(unescape(raw), start));
        }
        self.at += 1;
        Ok(())
    }

    /// SD-NAME: printable ASCII but `=`, blank, `]` and `"`.
    fn name(&mut self) -> Result<&'l str, Fault> {
        let rest = self.rest();
        let is_end = |b: u8| !b.is_ascii_graphic() || b"=]\"".contains(&b);
        let end = rest.bytes().position(is_end).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() {
            return Err(Fault::syntax(self.at, "expected a name in the structured data"));
        }
        self.at += end;
        Ok(name)
    }

    /// `stamp host tag[pid]: text`; the stamp may be RFC 3339, as relays write it.
    fn rfc3164(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let word = rest.split(' ').next().unwrap_or_default();
        let length = match syslog_length(rest) {
            Some(length) => length,
            None if is_rfc3339(word) => word.len(),
            None => {
                let detail = "expected a header of rfc 5424 or rfc 3164 (with an rfc 3339 stamp or \
                              one such as Nov  3 01:02:03)";
                return Err(Fault::syntax(self.at, detail));
            }
        };
        let stamp = rest.get(..length).unwrap_or_default();
        self.found(TIMESTAMP, stamp, self.at);
        self.at += length;
        self.blanks();
        // Some writers leave the host out; a tag in its place is known by its colon.
        if !self.tag() {
            let at = self.at;
            let host = self.rest().split(' ').next().unwrap_or_default();
            self.found("hostname", host, at);
            self.at += host.len();
            self.blanks();
            self.tag();
        }
        Ok(())
    }

    /// `name:`, `name[pid]:` or `name[pid]`; anything else belongs to the text already.
    fn tag(&mut self) -> bool {
        let at = self.at;
        let word = self.rest().split(' ').next().unwrap_or_default();
        let tag = word.strip_suffix(':').unwrap_or(word);
        let pid = tag.strip_suffix(']').and_then(|tag| tag.split_once('['));
        let pid = pid.filter(|(name, _)| !name.is_empty());
        if pid.is_none() && tag.len() == word.len() {
            return false;
        }
        match pid {
            Some((name, pid)) => {
                self.found("app_name", name, at);
                self.found("proc_id", pid, at + name.len() + 1);
            }
            None => self.found("app_name", tag, at),
        }
        self.at += word.len();
        self.blanks();
        true
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn blanks(&mut self) {
        while self.take(b' ') {}
    }
}

/// RFC 5424 section 6.3.3: only `"`, `\` and `]` are escaped; before others a backslash is itself.
fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.next_if(|next| c == '\\' && "\"\\]".contains(*next)) {
            Some(escaped) => text.push(escaped),
            None => text.push(c),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests;
