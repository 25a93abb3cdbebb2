//! logfmt: `key=value`, `key="a value"`, `key`. Whatever else stands in the line is passed over as bare keys.

use super::escape::unescape;
use super::scan::{Fault, Keys, Put, Value};

/// The unquoted value `null` is how Go's writers put a missing one.
const NULL: &str = "null";

/// The only fault is a quoted value that does not end: what is cut off there may be half a name.
pub(super) fn scan<'l>(text: &'l str, keys: &Keys, put: Put<'_, 'l>) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte <= b' ' {
            at += 1;
            continue;
        }
        if *byte == b'"' {
            // Text in quotes is nobody's value, and nothing in it is a key; a lone quote is a character.
            at = closing_quote(bytes, at + 1).unwrap_or(at) + 1;
            continue;
        }
        let start = at;
        at = until(bytes, at, |b| b <= b' ' || b == b'=' || b == b'"');
        if bytes.get(at) != Some(&b'=') {
            // A bare key says nothing, and may be a word of free text: it takes away no value that was there.
            // A key that starts with `=` would be empty: over it, or the loop would stand still.
            at = at.max(start + 1);
            continue;
        }
        let slot = keys.slot(&[text.get(start..at).unwrap_or_default()]);
        let (value, after) = value(text, at + 1)?;
        if let Some(slot) = slot {
            put(slot, value);
        }
        at = after;
    }
    Ok(())
}

/// The value that starts at `at`, and where it ends.
fn value(text: &str, at: usize) -> Result<(Value<'_>, usize), Fault> {
    let bytes = text.as_bytes();
    if bytes.get(at) == Some(&b'"') {
        let Some(end) = closing_quote(bytes, at + 1) else {
            return Err(Fault::torn(at, "the quoted value that starts here does not end"));
        };
        let raw = text.get(at + 1..end).unwrap_or_default();
        return Ok((Value::text(unescape(raw), at + 1), end + 1));
    }
    let end = until(bytes, at, |b| b <= b' ');
    let value = match text.get(at..end).unwrap_or_default() {
        NULL => Value::Null,
        raw => Value::text(raw, at),
    };
    Ok((value, end))
}

/// Where the quoted text that starts at `at` has its closing quote.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn until(bytes: &[u8], at: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| is_end(*b)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::super::tests::scanned;
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &["msg", "state", "a"];

    fn check(line: &str, want: &[(&str, &str)]) {
        let found = scanned(KEYS, |keys, put| scan(line, keys, put));
        let want = want.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(found, Ok(want), "{line}");
    }

    #[test]
    fn wanted_values_are_found() {
        check("", &[]);
        check("a=1", &[("a", "1")]);
        check("  a=1\tmsg=x ", &[("a", "1"), ("msg", "x")]);
        check(
            r#"msg="maintenance task" state=STARTED"#,
            &[("msg", "maintenance task"), ("state", "STARTED")],
        );
        check(r#"msg="say \"hi\"\n" a=1"#, &[("msg", "say \"hi\"\n"), ("a", "1")]);
        check(r#"a="" msg= state"#, &[("a", ""), ("msg", "")]);
        check(r#"a=null msg="null""#, &[("a", "null!"), ("msg", "null")]);
        check("a=first a=last", &[("a", "last")]);
        check("a=first then a word", &[("a", "first")]);
        check("a=b=c", &[("a", "b=c")]);
        check(r#"a=x"y z"#, &[("a", "x\"y")]);
        check("a=ü msg=\"ä ö\"", &[("a", "ü"), ("msg", "ä ö")]);
        check("aa=1 b.a=2 A=3", &[]);
    }

    #[test]
    fn what_stands_in_quotes_is_no_key() {
        check(r#"q="select state='STARTED' state=STARTED""#, &[]);
        check(r#"q="x \" state=STARTED" a=1"#, &[("a", "1")]);
        check(r#""state=STARTED a=1" msg=x"#, &[("msg", "x")]);
        check(r#"say" state=STARTED " a=1"#, &[("a", "1")]);
    }

    #[test]
    fn garbage_is_passed_over() {
        check("= == =a a=1", &[("a", "1")]);
        check("2025-11-10 [info] (x) {a=1} a=2", &[("a", "2")]);
        check(r#"it's 5" long a=1"#, &[("a", "1")]);
        check(r#"a="x"msg=y"#, &[("a", "x"), ("msg", "y")]);
        check(r#"a="x""y" msg=z"#, &[("a", "x"), ("msg", "z")]);
    }

    #[test]
    fn a_quoted_value_must_end() {
        for (line, column) in
            [(r#"a="x"#, 3), (r#"b=1 msg="x\" state=y"#, 9), ("a=\"", 3), (r#"a="\"#, 3)]
        {
            let fault = scanned(KEYS, |keys, put| scan(line, keys, put)).unwrap_err();
            assert_eq!(fault.at, Some(column - 1), "{line}");
        }
    }

    proptest! {
        #[test]
        fn quoted_values_come_back(msg in any::<String>(), a in "[!#-<>-~]{1,9}") {
            let line = format!("x=1 msg={} a={a} state", serde_json::to_string(&msg).unwrap());
            let found = scanned(KEYS, |keys, put| scan(&line, keys, put)).unwrap();
            prop_assert_eq!(&found["msg"], &msg);
            if a != NULL {
                prop_assert_eq!(&found["a"], &a);
            }
        }

        #[test]
        fn nothing_panics(line in r#"[a="\\ü \t]{0,30}"#) {
            let _ = scanned(KEYS, |keys, put| scan(&line, keys, put));
        }
    }
}
