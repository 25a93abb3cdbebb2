//! JSON: one object a line (RFC 8259), read in one pass that builds nothing but the wanted values.
//!
//! The grammar is checked to the end of the line, but inside strings control characters are let through:
//! they harm nobody, and a log line lost for a raw tab does.

mod records;

pub(super) use records::records;

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
    cursor.object(Some(""), 0)?;
    cursor.blanks();
    if cursor.at < text.len() {
        return Err(cursor.fault("expected nothing behind the json object"));
    }
    Ok(())
}

struct Cursor<'l, 'c, 'p> {
    text: &'l str,
    at: usize,
    keys: &'c Keys,
    put: Put<'p, 'l>,
}

impl<'l> Cursor<'l, '_, '_> {
    /// An object. `path`: what stands before its keys, or `None` if nothing in it is wanted.
    fn object(&mut self, path: Option<&str>, depth: usize) -> Result<(), Fault> {
        self.members(depth, |cursor, key| match path {
            Some(path) => cursor.member(path, &unescape(key), depth),
            None => cursor.skip(depth),
        })
    }

    /// The value behind `key`, and whatever in it is wanted.
    fn member(&mut self, path: &str, key: &str, depth: usize) -> Result<(), Fault> {
        let slot = self.keys.slot(&[path, key]);
        let at = self.at;
        if self.peek() == Some(b'{') && self.keys.below(&[path, key, "."]) {
            let deeper = format!("{path}{key}.");
            self.object(Some(&deeper), depth + 1)?;
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
        let is_read = inner.object(Some(path), depth + 1).and_then(|()| {
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

    /// A value that is wanted.
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

    /// An array of texts.
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

    /// Goes through an object. `member` is given a key, still with its escapes, and takes the value behind it.
    fn members(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, &'l str) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
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
            member(self, key)?;
            self.blanks();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.fault("expected a comma or a closing brace"));
            }
        }
    }

    /// Goes through an array. `element` takes one value.
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
            Some(b'{') => self.object(None, depth + 1),
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
mod tests;
