//! What the tests of the formats share.

use std::collections::BTreeMap;

use super::scan::{Fault, Keys, Put, Value};

pub(super) fn keys(names: &[&str]) -> Keys {
    let mut keys = Keys::new();
    for name in names {
        keys.add(name);
    }
    keys
}

/// What a scanner finds for `names`, as text: `null!` and `unfit!` for those, `[a|b]` for a list.
pub(super) fn scanned<'l>(
    names: &[&str],
    scan: impl FnOnce(&Keys, Put<'_, 'l>) -> Result<(), Fault>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut found = BTreeMap::new();
    scan(&keys(names), &mut |slot, value| {
        let text = match value {
            Value::Text { text, .. } => text.into_owned(),
            Value::Null => "null!".to_owned(),
            Value::List { texts, .. } => format!("[{}]", texts.join("|")),
            Value::Unfit { .. } => "unfit!".to_owned(),
        };
        found.insert(names[slot].to_owned(), text);
    })?;
    Ok(found)
}
