//! Instants and closed words as they are written on disk.

use chrono::DateTime;
use serde::de::Error;
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

#[derive(Deserialize)]
#[serde(untagged)]
enum AtForm {
    Whole(i64),
    Fine(i64, u32),
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<At, D::Error> {
        let (seconds, nanos) = match AtForm::deserialize(d)? {
            AtForm::Whole(seconds) => (seconds, 0),
            AtForm::Fine(seconds, nanos) => (seconds, nanos),
        };
        let at = DateTime::from_timestamp(seconds, nanos);
        at.map(At).ok_or_else(|| D::Error::custom("an instant out of range"))
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
                let word = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                let known = <$set>::parse(&word);
                known.map(Word).ok_or_else(|| D::Error::unknown_variant(&word, &[]))
            }
        }
    )+};
}

word!(ChangeType, Irregularity, Kind, Reason, State, Status, Trigger, Verdict);
