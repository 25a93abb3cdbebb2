//! What the scanners of all formats share: the wanted keys, the values, the faults.

use std::borrow::Cow;

use super::reading::{Reason, Rejection};

/// The value of a wanted key. `at`: where it stands in the line, in bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'l> {
    Text {
        text: Cow<'l, str>,
        at: usize,
    },
    Null,
    /// The texts of an array.
    List {
        texts: Vec<Cow<'l, str>>,
        at: usize,
    },
    /// An object, an array with more than texts in it, or one that is too long.
    Unfit {
        at: usize,
    },
}

impl<'l> Value<'l> {
    pub(super) fn text(text: impl Into<Cow<'l, str>>, at: usize) -> Value<'l> {
        Value::Text { text: text.into(), at }
    }

    /// The same value, found at `at` in a text that is a value itself.
    pub(super) fn owned<'o>(self, at: usize) -> Value<'o> {
        match self {
            Value::Text { text, .. } => Value::Text { text: Cow::Owned(text.into_owned()), at },
            Value::Null => Value::Null,
            Value::List { texts, .. } => {
                let texts = texts.into_iter().map(|text| Cow::Owned(text.into_owned()));
                Value::List { texts: texts.collect(), at }
            }
            Value::Unfit { .. } => Value::Unfit { at },
        }
    }

    /// The same value in a line that has `base` more bytes in front.
    pub(super) fn behind(mut self, base: usize) -> Value<'l> {
        if let Value::Text { at, .. } | Value::List { at, .. } | Value::Unfit { at } = &mut self {
            *at += base;
        }
        self
    }

    /// Whether this is, or contains, one of `words`.
    pub(super) fn is_any(&self, words: &[String]) -> bool {
        let is_one = |text: &str| words.iter().any(|word| word == text || word == text.trim());
        match self {
            Value::Text { text, .. } => is_one(text),
            Value::List { texts, .. } => texts.iter().any(|text| is_one(text)),
            Value::Null | Value::Unfit { .. } => false,
        }
    }
}

/// Takes the values as they are found, by slot; of a key that stands twice the last one counts.
pub(super) type Put<'p, 'l> = &'p mut dyn FnMut(usize, Value<'l>);

/// Why a line could not be taken apart to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) at: Option<usize>,
    pub(super) detail: &'static str,
    /// No line of such a file may be like that. Else it may be free text that stands between the records.
    pub(super) is_strict: bool,
    /// It was taken apart, and has the form of what is to be ignored.
    pub(super) is_noise: bool,
}

impl Fault {
    pub(super) fn syntax(at: usize, detail: &'static str) -> Fault {
        Fault { reason: Reason::Syntax, at: Some(at), detail, is_strict: true, is_noise: false }
    }

    /// A quoted text that does not end, or ends in the wrong place, where free text is possible.
    pub(super) fn torn(at: usize, detail: &'static str) -> Fault {
        Fault { is_strict: false, ..Fault::syntax(at, detail) }
    }

    /// The line has another form altogether.
    pub(super) fn other(reason: Reason, detail: &'static str) -> Fault {
        Fault { reason, at: None, detail, is_strict: false, is_noise: false }
    }

    /// Nothing is wrong with the line; it is none of ours.
    pub(super) fn noise() -> Fault {
        let fault = Fault::other(Reason::NoMatch, "the line has a form that is ignored");
        Fault { is_noise: true, ..fault }
    }

    pub(super) fn behind(self, base: usize) -> Fault {
        Fault { at: self.at.map(|at| at + base), ..self }
    }

    pub(super) fn rejection(&self) -> Rejection {
        let rejection = Rejection::new(self.reason, self.detail);
        match self.at {
            Some(at) => rejection.at(at),
            None => rejection,
        }
    }
}

/// The most keys that can be wanted: ours, the one of `match`, the one of `partners`, and syslog's time stamp.
pub(super) const KEYS_MAX: usize = 24;

/// Wanted keys; the place of a key in here is its slot.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    names: Vec<Box<str>>,
    /// Bit set of the slots by length of their name, the last for all longer ones: most keys of a line are
    /// dismissed by their length alone.
    by_length: [u32; 64],
}

impl Keys {
    pub(super) fn new() -> Keys {
        Keys { names: Vec::with_capacity(KEYS_MAX), by_length: [0; 64] }
    }

    /// The slot of `name`, which may have one already.
    pub(super) fn add(&mut self, name: &str) -> usize {
        if let Some(slot) = self.slot(&[name]) {
            return slot;
        }
        let slot = self.names.len();
        let bucket = name.len().min(self.by_length.len() - 1);
        if let Some(slots) = self.by_length.get_mut(bucket) {
            *slots |= 1 << slot;
        }
        self.names.push(name.into());
        slot
    }

    /// The slot of the key that `parts` make when put together.
    pub(super) fn slot(&self, parts: &[&str]) -> Option<usize> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut slots = *self.by_length.get(length.min(self.by_length.len() - 1))?;
        while slots != 0 {
            let slot = slots.trailing_zeros() as usize;
            if strip(self.names.get(slot)?, parts).is_some_and(str::is_empty) {
                return Some(slot);
            }
            slots &= slots - 1;
        }
        None
    }

    /// Whether a wanted key starts with what `parts` make and goes on.
    pub(super) fn below(&self, parts: &[&str]) -> bool {
        self.names.iter().any(|name| strip(name, parts).is_some_and(|rest| !rest.is_empty()))
    }
}

fn strip<'n>(name: &'n str, parts: &[&str]) -> Option<&'n str> {
    // Comparing with an empty part would be right and slow: some processors stumble over its address.
    let mut parts = parts.iter().filter(|part| !part.is_empty());
    parts.try_fold(name, |rest, part| rest.strip_prefix(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_their_parts() {
        let mut keys = Keys::new();
        let long = "x".repeat(100);
        for (name, slot) in [("a.b.c", 0), ("time", 1), ("a.b.c", 0), ("name", 2), (&long, 3)] {
            assert_eq!(keys.add(name), slot);
        }
        for (parts, want) in [
            (&["a.b.c"][..], Some(0)),
            (&["a.", "b.c"], Some(0)),
            (&["a.b.", "c"], Some(0)),
            (&["a", ".", "b.c"], Some(0)),
            (&["name"], Some(2)),
            (&["mane"], None),
            (&["a.b"], None),
            (&[""], None),
            (&[&long], Some(3)),
            (&[&long, "x"], None),
        ] {
            assert_eq!(keys.slot(parts), want, "{parts:?}");
        }
        for (parts, want) in [
            (&["a", "."][..], true),
            (&["a.b", "."], true),
            (&["a.b.c"], false),
            (&["a.b.c", "."], false),
            (&["time", "."], false),
        ] {
            assert_eq!(keys.below(parts), want, "{parts:?}");
        }
    }

    #[test]
    fn there_is_a_bit_for_every_key() {
        assert!(KEYS_MAX <= u32::BITS as usize);
        assert_eq!(KEYS_MAX, super::super::Field::ALL.len() + 3);
    }
}
