//! The records of a JSON document: the objects of an array, wherever it stands.

use super::Cursor;
use crate::format::escape::unescape;
use crate::format::scan::{Fault, Keys, Value};

/// The records of a document and where they stand: the objects in the array that it is, or that an object of it
/// holds under one of `names`; else the objects that it is made of.
pub(in crate::format) fn records<'l>(
    text: &'l str,
    names: &[String],
) -> Result<Vec<(usize, &'l str)>, Fault> {
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

impl<'l> Cursor<'l, '_, '_> {
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
        let mut holds = false;
        self.members(0, |cursor, key| {
            if cursor.peek() == Some(b'[') && names.iter().any(|name| **name == unescape(key)) {
                holds = true;
                return cursor.array(found);
            }
            cursor.skip(0)
        })?;
        Ok(holds)
    }
}
