//! Comma-separated values (RFC 4180), one record a line, with a header line.

use std::borrow::Cow;

use super::reading::{Reason, Rejection, quote};
use super::scan::{Fault, Keys, Put, Value};

/// `columns`: the slot of each column, from [`columns`].
pub(super) fn scan<'l>(
    text: &'l str,
    delimiter: u8,
    columns: &[Option<usize>],
    put: Put<'_, 'l>,
) -> Result<(), Fault> {
    if columns.is_empty() {
        let detail = "no usable header line stands before this line";
        // Nothing in such a file can be read: passed over in silence it would look like a quiet one.
        return Err(Fault { is_strict: true, ..Fault::other(Reason::MissingHeader, detail) });
    }
    records(text, delimiter, |column, value, at| {
        if let Some(Some(slot)) = columns.get(column) {
            put(*slot, Value::text(value, at));
        }
    })
}

/// The slot of each column of a header line. A wanted column that stands there twice is an error, because the
/// two would overwrite each other in every line.
pub(super) fn columns(
    text: &str,
    delimiter: u8,
    keys: &Keys,
) -> Result<Vec<Option<usize>>, Rejection> {
    let mut columns = Vec::new();
    let mut repeated = None;
    let read = records(text, delimiter, |_, name, at| {
        let slot = keys.slot(&[name.trim()]);
        if slot.is_some() && columns.contains(&slot) {
            repeated = Some((name.into_owned(), at));
        }
        columns.push(slot);
    });
    if let Err(fault) = read {
        return Err(Rejection { reason: Reason::BadHeader, ..fault.rejection() });
    }
    match repeated {
        None => Ok(columns),
        Some((name, at)) => {
            let detail = format!("column {} is in the header twice", quote(&name));
            Err(Rejection::new(Reason::BadHeader, detail).at(at))
        }
    }
}

/// Hands each field over with its column and where it stands.
fn records<'l>(
    text: &'l str,
    delimiter: u8,
    mut field: impl FnMut(usize, Cow<'l, str>, usize),
) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let mut at = 0;
    for column in 0.. {
        let end = if bytes.get(at) == Some(&b'"') {
            let (raw, end) = quoted(text, at + 1)?;
            let value = match raw.contains('"') {
                true => Cow::Owned(raw.replace("\"\"", "\"")),
                false => Cow::Borrowed(raw),
            };
            field(column, value, at + 1);
            end
        } else {
            let rest = bytes.get(at..).unwrap_or_default();
            let end = at + memchr::memchr(delimiter, rest).unwrap_or(rest.len());
            field(column, Cow::Borrowed(text.get(at..end).unwrap_or_default()), at);
            end
        };
        match bytes.get(end) {
            None => break,
            Some(byte) if *byte == delimiter => at = end + 1,
            Some(_) => return Err(Fault::torn(end, "expected the delimiter behind the quotes")),
        }
    }
    Ok(())
}

/// The text from `start` to the closing quote, doubled quotes left as they are, and what follows the quote.
fn quoted(text: &str, start: usize) -> Result<(&str, usize), Fault> {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let Some(length) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) else {
            return Err(Fault::torn(start - 1, "the quoted field that starts here does not end"));
        };
        at += length;
        if bytes.get(at + 1) != Some(&b'"') {
            return Ok((text.get(start..at).unwrap_or_default(), at + 1));
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{keys, scanned};
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &["a", "b c"];

    fn check(header: &str, line: &str, want: &[(&str, &str)]) {
        let columns = columns(header, b',', &keys(KEYS)).unwrap();
        let found = scanned(KEYS, |_, put| scan(line, b',', &columns, put));
        let want = want.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(found, Ok(want), "{line}");
    }

    #[test]
    fn columns_are_found_by_the_header() {
        check("x,a,b c", "1,2,3", &[("a", "2"), ("b c", "3")]);
        check("\"b c\", a ,x", "1,2,3", &[("a", "2"), ("b c", "1")]);
        check("a,x,x", "1,2,3", &[("a", "1")]);
        check("a,b c", "1", &[("a", "1")]);
        check("a,b c", "1,2,3,4", &[("a", "1"), ("b c", "2")]);
        check("a,b c", ",", &[("a", ""), ("b c", "")]);
        check("a,b c", "", &[("a", "")]);
    }

    #[test]
    fn quotes_keep_delimiters() {
        check("a,b c", r#""x, ""y""",z"#, &[("a", "x, \"y\""), ("b c", "z")]);
        check("a,b c", r#"5" disk,"""#, &[("a", "5\" disk"), ("b c", "")]);
        check("a,b c", r#""""","ü""#, &[("a", "\""), ("b c", "ü")]);
    }

    #[test]
    fn broken_lines_say_where() {
        let columns = columns("a,b c", b',', &keys(KEYS)).unwrap();
        for (line, column) in [("1,\"x", 3), ("\"x\"y,2", 4), ("\"", 1), ("1,\"x\"\"", 3)] {
            let fault = scanned(KEYS, |_, put| scan(line, b',', &columns, put)).unwrap_err();
            assert_eq!((fault.reason, fault.at), (Reason::Syntax, Some(column - 1)), "{line}");
        }
        let fault = scanned(KEYS, |_, put| scan("1,2", b',', &[], put)).unwrap_err();
        assert_eq!(fault.reason, Reason::MissingHeader);
    }

    #[test]
    fn a_header_that_repeats_a_wanted_column_is_refused() {
        for (header, column) in [("a,x,a", Some(5)), ("a, \"b", None), ("a;b c,a", None)] {
            let read = columns(header, b',', &keys(KEYS)).map_err(|r| (r.reason, r.column));
            match column {
                Some(_) => assert_eq!(read, Err((Reason::BadHeader, column)), "{header}"),
                None => assert!(read.is_ok(), "{header}"),
            }
        }
        let read = columns("a,\"b", b',', &keys(KEYS)).map_err(|r| (r.reason, r.column));
        assert_eq!(read, Err((Reason::BadHeader, Some(3))));
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(a in "[^\n\r]{0,9}", b in "[^\n\r]{0,9}") {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let line = format!("{},{}", quoted(&a), quoted(&b));
            let columns = columns("a,b c", b',', &keys(KEYS)).unwrap();
            let found = scanned(KEYS, |_, put| scan(&line, b',', &columns, put)).unwrap();
            prop_assert_eq!((&found["a"], &found["b c"]), (&a, &b));
        }

        #[test]
        fn nothing_panics(line in r#"[a,"ü]{0,20}"#) {
            let _ = scanned(KEYS, |_, put| scan(&line, b',', &[Some(0), None, Some(1)], put));
        }
    }
}
