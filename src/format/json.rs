//! JSON: one object a line (RFC 8259), read in one pass that builds nothing but the wanted values.
//!
//! The grammar is checked to the end of the line, but inside strings control characters are let through:
//! they harm nobody, and a log line lost for a raw tab does.

use std::borrow::Cow;

use super::escape::unescape;
use super::scan::{Fault, Keys, Put, Value};

/// Deeper nesting is a syntax error.
const DEPTH_MAX: usize = 64;

/// An array with more texts than this is no list of services.
pub(super) const TEXTS_MAX: usize = 64;

/// Nested keys are `a.b.c`; a key that contains the dots itself matches too.
pub(super) fn scan<'l>(text: &'l str, keys: &Keys, put: Put<'_, 'l>) -> Result<(), Fault> {
    let mut cursor = Cursor { text, at: 0, keys, put };
    cursor.blanks();
    if cursor.peek() != Some(b'{') {
        return Err(cursor.fault("expected a json object"));
    }
    cursor.members(Some(""), 0)?;
    cursor.blanks();
    if cursor.at < text.len() {
        return Err(cursor.fault("expected nothing behind the json object"));
    }
    Ok(())
}

/// The records of a document and where they stand: the objects in the array that it is, or that an object of it
/// holds under one of `names`; else the objects that it is made of.
pub(super) fn records<'l>(text: &'l str, names: &[String]) -> Result<Vec<(usize, &'l str)>, Fault> {
    let keys = Keys::new();
    let put = &mut |_, _: Value<'l>| {};
    let mut cursor = Cursor { text, at: 0, keys: &keys, put };
    let mut found = Vec::new();
    loop {
        cursor.blanks();
        match cursor.peek() {
            None => return Ok(found),
            Some(b'[') => cursor.array(&mut found)?,
            Some(b'{') => {
                let (start, before) = (cursor.at, found.len());
                if !cursor.envelope(names, &mut found)? {
                    found.truncate(before);
                    found.push((start, text.get(start..cursor.at).unwrap_or_default()));
                }
            }
            Some(_) => return Err(cursor.fault("expected a json object or array")),
        }
    }
}

struct Cursor<'l, 'c, 'p> {
    text: &'l str,
    at: usize,
    keys: &'c Keys,
    put: Put<'p, 'l>,
}

impl<'l> Cursor<'l, '_, '_> {
    /// An object. `path`: what stands before its keys, or `None` if nothing in it is wanted.
    fn members(&mut self, path: Option<&str>, depth: usize) -> Result<(), Fault> {
        self.enter(depth)?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.blanks();
            let (key, _) = self.string("expected a key in quotes")?;
            self.blanks();
            if !self.take(b':') {
                return Err(self.fault("expected a colon"));
            }
            self.blanks();
            match path {
                Some(path) => self.member(path, &unescape(key), depth)?,
                None => self.skip(depth)?,
            }
            self.blanks();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.fault("expected a comma or a closing brace"));
            }
        }
    }

    /// An array of records.
    fn array(&mut self, found: &mut Vec<(usize, &'l str)>) -> Result<(), Fault> {
        self.elements(0, |cursor| {
            let start = cursor.at;
            cursor.skip(1)?;
            found.push((start, cursor.text.get(start..cursor.at).unwrap_or_default()));
            Ok(())
        })
    }

    /// An object that may hold records; whether it does.
    fn envelope(
        &mut self,
        names: &[String],
        found: &mut Vec<(usize, &'l str)>,
    ) -> Result<bool, Fault> {
        self.enter(0)?;
        let mut holds = false;
        if self.take(b'}') {
            return Ok(false);
        }
        loop {
            self.blanks();
            let (key, _) = self.string("expected a key in quotes")?;
            self.blanks();
            if !self.take(b':') {
                return Err(self.fault("expected a colon"));
            }
            self.blanks();
            if self.peek() == Some(b'[') && names.iter().any(|name| **name == unescape(key)) {
                holds = true;
                self.array(found)?;
            } else {
                self.skip(0)?;
            }
            self.blanks();
            if self.take(b'}') {
                return Ok(holds);
            }
            if !self.take(b',') {
                return Err(self.fault("expected a comma or a closing brace"));
            }
        }
    }

    fn member(&mut self, path: &str, key: &str, depth: usize) -> Result<(), Fault> {
        let slot = self.keys.slot(&[path, key]);
        let at = self.at;
        if self.peek() == Some(b'{') && self.keys.below(&[path, key, "."]) {
            let deeper = format!("{path}{key}.");
            self.members(Some(&deeper), depth + 1)?;
            if let Some(slot) = slot {
                (self.put)(slot, Value::Unfit { at });
            }
            return Ok(());
        }
        if self.peek() == Some(b'"') && self.keys.below(&[path, key, "."]) {
            return self.json_in_text(&format!("{path}{key}."), slot, depth);
        }
        match slot {
            Some(slot) => {
                let value = self.value(depth)?;
                (self.put)(slot, value);
                Ok(())
            }
            None => self.skip(depth),
        }
    }

    /// A text in which keys are wanted: an object written as a text is read like one.
    fn json_in_text(&mut self, path: &str, slot: Option<usize>, depth: usize) -> Result<(), Fault> {
        let (raw, at) = self.string("")?;
        let text = unescape(raw);
        if let Some(slot) = slot {
            (self.put)(slot, Value::text(text.clone(), at));
        }
        if !text.trim_start().starts_with('{') {
            return Ok(());
        }
        let put = &mut |slot, value: Value| (self.put)(slot, value.owned(at));
        let mut inner = Cursor { text: &text, at: 0, keys: self.keys, put };
        inner.blanks();
        let is_read = inner.members(Some(path), depth + 1).and_then(|()| {
            inner.blanks();
            if inner.at < text.len() { Err(inner.fault("")) } else { Ok(()) }
        });
        match is_read {
            // Where the text itself is wanted it may be any.
            Err(_) if slot.is_none() => {
                Err(Fault::torn(at, "the text that starts here is a broken json object"))
            }
            _ => Ok(()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'l>, Fault> {
        let at = self.at;
        match self.peek() {
            Some(b'[') => self.list(depth),
            Some(b'{') => {
                self.skip(depth)?;
                Ok(Value::Unfit { at })
            }
            _ => Ok(match self.plain()? {
                Some((text, at)) => Value::text(text, at),
                None => Value::Null,
            }),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value<'l>, Fault> {
        let at = self.at;
        let mut texts = Vec::new();
        let mut is_fit = true;
        self.elements(depth, |cursor| {
            if matches!(cursor.peek(), Some(b'{' | b'[')) {
                is_fit = false;
                return cursor.skip(depth + 1);
            }
            if let Some((text, _)) = cursor.plain()? {
                texts.push(text);
            }
            // What is too long to be used is not kept in memory either.
            texts.truncate(TEXTS_MAX + 1);
            Ok(())
        })?;
        let is_fit = is_fit && texts.len() <= TEXTS_MAX;
        Ok(if is_fit { Value::List { texts, at } } else { Value::Unfit { at } })
    }

    fn elements(
        &mut self,
        depth: usize,
        mut element: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.enter(depth + 1)?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.blanks();
            element(self)?;
            self.blanks();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.fault("expected a comma or a closing bracket"));
            }
        }
    }

    /// Over one value of which nothing is wanted.
    fn skip(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => self.members(None, depth + 1),
            Some(b'[') => self.elements(depth, |cursor| cursor.skip(depth + 1)),
            Some(b'"') => self.string("").map(|_| ()),
            _ => self.word().map(|_| ()),
        }
    }

    /// A string, number or boolean as text and where it stands; `None` for null.
    fn plain(&mut self) -> Result<Option<(Cow<'l, str>, usize)>, Fault> {
        if self.peek() == Some(b'"') {
            let (raw, at) = self.string("")?;
            return Ok(Some((unescape(raw), at)));
        }
        let at = self.at;
        let word = self.word()?;
        Ok((word != "null").then_some((Cow::Borrowed(word), at)))
    }

    /// A string, still with its escapes, and where its first character stands.
    fn string(&mut self, missing: &'static str) -> Result<(&'l str, usize), Fault> {
        if !self.take(b'"') {
            return Err(self.fault(missing));
        }
        let start = self.at;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let Some(length) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = start - 1;
                return Err(self.fault("the string that starts here does not end"));
            };
            self.at += length;
            if self.peek() == Some(b'"') {
                let raw = self.text.get(start..self.at).unwrap_or_default();
                self.at += 1;
                return Ok((raw, start));
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let length = match self.text.as_bytes().get(self.at..).unwrap_or_default() {
            [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [_, b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|h| h.is_ascii_hexdigit()) => 6,
            _ => return Err(self.fault("no such escape in json")),
        };
        self.at += length;
        Ok(())
    }

    /// A number or one of the three names.
    fn word(&mut self) -> Result<&'l str, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            return Err(self.fault("expected a json value"));
        }
        self.at += word.len();
        Ok(word)
    }

    /// Into an object or array, to its first member.
    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if DEPTH_MAX <= depth {
            return Err(self.fault("nested too deeply"));
        }
        self.at += 1;
        self.blanks();
        Ok(())
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
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn fault(&self, detail: &'static str) -> Fault {
        Fault::syntax(self.at, detail)
    }
}

/// The number grammar of RFC 8259 section 6.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let has_leading_zero = 1 < whole.len() && whole.starts_with('0');
    digits(whole) && !has_leading_zero && digits(fraction) && digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::super::tests::scanned;
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &["a", "b", "a.b", "x.y.z"];

    fn check(line: &str, want: &[(&str, &str)]) {
        let found = scanned(KEYS, |keys, put| scan(line, keys, put));
        let want = want.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        assert_eq!(found, Ok(want), "{line}");
    }

    fn check_fault(line: &str, column: usize, detail: &str) {
        let fault = scanned(KEYS, |keys, put| scan(line, keys, put)).unwrap_err();
        assert_eq!((fault.at, fault.detail), (Some(column - 1), detail), "{line}");
    }

    #[test]
    fn wanted_values_are_found() {
        check("{}", &[]);
        check(r#" { "a" : "x" , "q":1 } "#, &[("a", "x")]);
        check(r#"{"a":1,"b":-1.50e3}"#, &[("a", "1"), ("b", "-1.50e3")]);
        check(r#"{"a":true,"b":null}"#, &[("a", "true"), ("b", "null!")]);
        check(r#"{"a":"null","b":""}"#, &[("a", "null"), ("b", "")]);
        check(r#"{"a":"say \"hi\" \u00fc"}"#, &[("a", "say \"hi\" ü")]);
        check(r#"{"\u0061":"x"}"#, &[("a", "x")]);
        check(r#"{"a":"first","a":"last"}"#, &[("a", "last")]);
        check(r#"{"a":"first","a":null}"#, &[("a", "null!")]);
        check("{\"a\":\"raw\ttab\"}", &[("a", "raw\ttab")]);
    }

    #[test]
    fn nested_keys_are_found_by_their_path() {
        check(r#"{"a":{"b":"x"}}"#, &[("a", "unfit!"), ("a.b", "x")]);
        check(r#"{"a.b":"x"}"#, &[("a.b", "x")]);
        check(r#"{"a.b":"x","a":{"b":"y"}}"#, &[("a", "unfit!"), ("a.b", "y")]);
        check(r#"{"x":{"y":{"z":1,"b":2}},"b":3}"#, &[("x.y.z", "1"), ("b", "3")]);
        check(r#"{"x":{"y.z":1}}"#, &[("x.y.z", "1")]);
        check(r#"{"x.y":{"z":1}}"#, &[("x.y.z", "1")]);
        check(r#"{"x":{"y":{"z":{"z":1}}}}"#, &[("x.y.z", "unfit!")]);
        check(r#"{"q":{"a":1,"a.b":2}}"#, &[]);
        check(r#"{"x":[{"y":{"z":1}}]}"#, &[]);
    }

    #[test]
    fn arrays_of_texts_are_lists() {
        check(r#"{"a":["x", 1, true, null, "y"]}"#, &[("a", "[x|1|true|y]")]);
        check(r#"{"a":[]}"#, &[("a", "[]")]);
        check(r#"{"a":[["x"]]}"#, &[("a", "unfit!")]);
        check(r#"{"a":["x",{"b":1}]}"#, &[("a", "unfit!")]);
        let texts = |n: usize| format!(r#"{{"a":[{}]}}"#, vec!["1"; n].join(","));
        check(&texts(65), &[("a", "unfit!")]);
        check(&texts(1000), &[("a", "unfit!")]);
        check(&texts(64), &[("a", &format!("[{}]", ["1"; 64].join("|")))]);
    }

    #[test]
    fn broken_lines_say_where_and_why() {
        check_fault("", 1, "expected a json object");
        check_fault("[]", 1, "expected a json object");
        check_fault("x {}", 1, "expected a json object");
        check_fault("{} x", 4, "expected nothing behind the json object");
        check_fault(r#"{"a":1}}"#, 8, "expected nothing behind the json object");
        check_fault("{a:1}", 2, "expected a key in quotes");
        check_fault(r#"{"a":1,}"#, 8, "expected a key in quotes");
        check_fault(r#"{"a" 1}"#, 6, "expected a colon");
        check_fault(r#"{"a":1 "b":2}"#, 8, "expected a comma or a closing brace");
        check_fault(r#"{"a":[1 2]}"#, 9, "expected a comma or a closing bracket");
        check_fault(r#"{"a":"x"#, 6, "the string that starts here does not end");
        check_fault(r#"{"a":"x\"#, 8, "no such escape in json");
        check_fault(r#"{"q":"\x41"}"#, 7, "no such escape in json");
        check_fault(r#"{"q":"\u00g0"}"#, 7, "no such escape in json");
        for value in ["", "tru", "nul", "01", "1.", ".5", "+1", "1e", "-", "NaN", "0x1", "'x'"] {
            check_fault(&format!(r#"{{"a":{value}}}"#), 6, "expected a json value");
        }
        let deep = format!(r#"{{"q":{}"#, "[".repeat(100));
        check_fault(&deep, 5 + DEPTH_MAX, "nested too deeply");
        let deep = r#"{"q":"#.repeat(100);
        check_fault(&deep, 1 + 5 * DEPTH_MAX, "nested too deeply");
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("[abxyz.]{1,3}", inner, 0..6)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read(a in any::<String>(), q in any_json(), b in any::<f64>()) {
            let line = serde_json::json!({"a": a, "q": q, "b": b}).to_string();
            let found = scanned(KEYS, |keys, put| scan(&line, keys, put)).unwrap();
            prop_assert_eq!(&found["a"], &a);
            if b.is_finite() {
                prop_assert_eq!(found["b"].parse::<f64>().unwrap(), b);
            }
        }

        /// Mutated lines are accepted exactly when serde_json accepts them.
        #[test]
        fn the_grammar_is_that_of_serde_json(
            q in any_json(),
            at in any::<prop::sample::Index>(),
            with in r#"[\[\]{}",:\\0-9eE+.truefalsn -]{0,3}"#,
        ) {
            let line = serde_json::json!({"q": q, "z": 1}).to_string();
            let border = line.floor_char_boundary(at.index(line.len()));
            let after = line.floor_char_boundary(border + 1);
            let line = format!("{}{with}{}", &line[..border], &line[after..]);
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok()
                && line.trim_start().starts_with('{');
            let ours = scanned(KEYS, |keys, put| scan(&line, keys, put)).is_ok();
            prop_assert_eq!(ours, theirs, "{}", line);
        }
    }
}
