//! Instants, texts and closed words as they are written on disk.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::DateTime;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{ChangeType, Kind, Status, Trigger};
use crate::run::{Irregularity, State};
use crate::time::Instant;
use crate::verdict::{Reason, Verdict};

/// An instant: whole seconds since 1970 as a number, or `[seconds, nanoseconds]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(pub Instant);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match (self.0.timestamp(), self.0.timestamp_subsec_nanos()) {
            (seconds, 0) => s.serialize_i64(seconds),
            pair => pair.serialize(s),
        }
    }
}

struct AtVisitor;

impl<'de> Visitor<'de> for AtVisitor {
    type Value = (i64, u32);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("seconds or [seconds, nanoseconds]")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Self::Value, E> {
        Ok((seconds, 0))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Self::Value, E> {
        i64::try_from(seconds).map(|seconds| (seconds, 0)).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let seconds = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let nanos = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        Ok((seconds, nanos))
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<At, D::Error> {
        let (seconds, nanos) = d.deserialize_any(AtVisitor)?;
        let at = DateTime::from_timestamp(seconds, nanos);
        at.map(At).ok_or_else(|| D::Error::custom("an instant out of range"))
    }
}

/// A text that is written from where it stands and read, where nothing in it is escaped, without a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// Of a name that may be missing.
    pub(super) fn maybe<T: AsRef<str>>(text: &'a Option<T>) -> Option<Text<'a>> {
        text.as_ref().map(|text| text.as_ref().into())
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Text<'a> {
        Text(Cow::Borrowed(text))
    }
}

impl From<Text<'_>> for Arc<str> {
    fn from(text: Text) -> Arc<str> {
        Arc::from(&*text.0)
    }
}

impl From<Text<'_>> for Box<str> {
    fn from(text: Text) -> Box<str> {
        text.0.into()
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text) -> String {
        text.0.into_owned()
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Text<'a>, D::Error> {
        d.deserialize_str(TextVisitor).map(Text)
    }
}

/// A word of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<T>(pub T);

macro_rules! word {
    ($($set:ty),+) => {$(
        impl Serialize for Word<$set> {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.0.as_str())
            }
        }

        impl<'de> Deserialize<'de> for Word<$set> {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let word = d.deserialize_str(TextVisitor)?;
                let known = <$set>::parse(&word);
                known.map(Word).ok_or_else(|| D::Error::unknown_variant(&word, &[]))
            }
        }
    )+};
}

word!(ChangeType, Irregularity, Kind, Reason, State, Status, Trigger, Verdict);
