//! Makes a line readable: what editors, crashes, terminals and broken encoders leave in it goes first.

use std::borrow::Cow;

/// A line as text.
pub(super) struct Clean<'l> {
    pub(super) text: Cow<'l, str>,
    /// Bytes cut off at the start; `None` if more than that was changed.
    pub(super) skipped: Option<usize>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";
const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// Without a byte order mark and NULs at the start (a truncated file that is still written to has them),
/// without line end, without terminal escape sequences (ECMA-48); invalid UTF-8 becomes U+FFFD.
pub(super) fn clean(line: &[u8]) -> Clean<'_> {
    let body = without_start(line);
    let skipped = line.len() - body.len();
    let body = without_end(body);
    if memchr::memchr(ESC, body).is_some() {
        let text = String::from_utf8_lossy(&without_escapes(body)).into_owned();
        return Clean { text: Cow::Owned(text), skipped: None };
    }
    match std::str::from_utf8(body) {
        Ok(text) => Clean { text: Cow::Borrowed(text), skipped: Some(skipped) },
        Err(_) => Clean { text: String::from_utf8_lossy(body), skipped: None },
    }
}

fn without_start(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_prefix(BOM).or_else(|| line.strip_prefix(b"\0")) {
        line = rest;
    }
    line
}

fn without_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\n' | b'\r'] = line {
        line = rest;
    }
    line
}

fn without_escapes(mut line: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(line.len());
    while let Some((before, rest)) =
        memchr::memchr(ESC, line).and_then(|at| line.split_at_checked(at))
    {
        kept.extend_from_slice(before);
        line = after_escape(rest);
    }
    kept.extend_from_slice(line);
    kept
}

/// What follows the escape sequence at the start of `text`. A sequence that is cut short takes the rest.
fn after_escape(text: &[u8]) -> &[u8] {
    let (body, is_last): (&[u8], fn(u8) -> bool) = match text {
        [_, b'[', rest @ ..] => (rest, |b| (0x40..=0x7e).contains(&b)),
        [_, b']', rest @ ..] => (rest, |b| b == BEL || b == b'\\'),
        [_, rest @ ..] => (rest, |b| (0x30..=0x7e).contains(&b)),
        [] => return text,
    };
    let length = body.iter().position(|b| is_last(*b)).map_or(body.len(), |last| last + 1);
    body.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], text: &str, skipped: Option<usize>) {
        let clean = clean(line);
        assert_eq!((clean.text.as_ref(), clean.skipped), (text, skipped), "{line:?}");
    }

    #[test]
    fn a_line_becomes_readable() {
        check(b"a=b", "a=b", Some(0));
        check(b"", "", Some(0));
        check(b"a=b\r\n", "a=b", Some(0));
        check(b"a=b\r\r\n", "a=b", Some(0));
        check(b" a=b ", " a=b ", Some(0));
        check(b"\xef\xbb\xbfa=b", "a=b", Some(3));
        check(b"\0\0\0\0a=b", "a=b", Some(4));
        check(b"\0\xef\xbb\xbf\0a=b", "a=b", Some(5));
        check(&[0; 4096], "", Some(4096));
        check(b"a=\xffb", "a=\u{fffd}b", None);
        check(b"\x1b[36mmsg=\x1b[0m\"x\"", "msg=\"x\"", None);
        check(b"a\x1b[38;5;12mb\x1b[Kc", "abc", None);
        check(b"a\x1b]0;title\x07b\x1b]8;;http:x\x1b\\c", "abc", None);
        check(b"a\x1b(Bb", "ab", None);
        check(b"a\x1b", "a", None);
        check(b"a\x1b[31", "a", None);
    }
}
