//! YAML with positions: the building blocks of the form as written, and its reader's errors in our words.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_saphyr::options::AliasLimits;
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};

use crate::config::problem::Fault;

/// A scalar, as its text, with its place.
pub type Text = Spanned<String>;

/// Nodes (values, lists, mappings) in one file. The largest known file, of 20 000 partners, needs as many.
const NODES_MAX: usize = 400_000;
/// Nodes that aliases may add to those.
const ALIASED_NODES_MAX: usize = 100_000;
/// Lists and mappings inside one another; ours never need more than 8.
const DEPTH_MAX: usize = 32;

/// A key that may be left out, but has a value where it stands: `windows:` alone is a mistake, not a default.
#[derive(Debug)]
pub struct Given<T>(Option<T>);

/// A mapping with free keys, in the order of the file.
#[derive(Debug)]
pub struct Table<T>(Vec<(Text, T)>);

/// A word, or a mapping that says more.
#[derive(Debug)]
pub enum WordOr<T> {
    Word(String),
    More(T),
    /// Told when it is checked: an error from inside the reader would point at the key.
    Neither,
}

/// A word or a mapping, or a list of such.
#[derive(Debug)]
pub enum OneOrMany<T> {
    One(WordOr<T>),
    Many(Vec<Spanned<WordOr<T>>>),
    /// As for [`WordOr::Neither`].
    Neither,
}

/// Reads one document.
///
/// # Errors
///
/// The first mistake of form: broken YAML, an unknown or repeated key, a value of the wrong type, a limit.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, (Location, Fault)> {
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = ALIASED_NODES_MAX;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: NODES_MAX, max_depth: DEPTH_MAX, max_documents: 2 },
        alias_limits: aliases,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| {
        let at = e.location().unwrap_or(Location::UNKNOWN);
        (at, fault(text, at, innermost(&e)))
    })
}

fn innermost(error: &serde_saphyr::Error) -> &serde_saphyr::Error {
    match error {
        serde_saphyr::Error::AliasError { error, .. } => innermost(error),
        _ => error,
    }
}

/// The reader's error in our words.
fn fault(text: &str, at: Location, error: &serde_saphyr::Error) -> Fault {
    use serde_saphyr::Error as E;
    match error {
        E::SerdeUnknownField { field, expected, .. } => {
            Fault::new(format!("unknown key {field:?}")).one_of(field, expected)
        }
        E::DuplicateMappingKey { key: Some(key), .. } => {
            Fault::new(format!("key {key:?} appears twice"))
        }
        _ if is_blank(text, at) => no_value(),
        E::MultipleDocuments { .. } => Fault::new("a second document"),
        E::UnknownAnchor { .. } => Fault::new("no such anchor"),
        E::TaggedScalarCannotDeserializeIntoString { .. } => {
            Fault::new("expected text, found another tag")
        }
        E::NullIntoString { .. } => Fault::new("expected text, found null"),
        E::Unexpected { expected: "string scalar", .. } => Fault::new("expected text"),
        E::Unexpected { expected: "mapping start", .. } => Fault::new("expected a mapping"),
        E::Unexpected { expected: "sequence start", .. } => {
            Fault::new("expected a list").accepted("[a, b]")
        }
        E::InvalidBooleanStrict { .. } => Fault::new("expected true or false"),
        E::Budget { .. } | E::AliasReplayLimitExceeded { .. } => {
            Fault::new("too much for a configuration file").accepted(format!(
                "at most {NODES_MAX} values ({ALIASED_NODES_MAX} more by aliases), {DEPTH_MAX} deep"
            ))
        }
        other => Fault::new(UserMessageFormatter.format_message(other)),
    }
}

/// A key without anything behind it.
pub fn no_value() -> Fault {
    Fault::new("no value").accepted("a value ({} for a mapping without keys), or the key left out")
}

/// What stands in `text` from `at` on.
pub fn rest(text: &str, at: Location) -> Option<&str> {
    text.get(usize::try_from(at.span().byte_offset()?).ok()?..)
}

/// Whether nothing stands at `at`: the reader then points at the colon behind the key.
pub fn is_blank(text: &str, at: Location) -> bool {
    rest(text, at).is_some_and(|rest| rest.starts_with(':'))
}

impl<T> OneOrMany<T> {
    /// Each item with where it is used and where it stands; `None` if it has neither form. `written` is its own
    /// place.
    #[allow(clippy::type_complexity)]
    pub fn items<'w>(
        &'w self,
        written: &Spanned<OneOrMany<T>>,
    ) -> Option<Vec<((Location, Location), &'w WordOr<T>)>> {
        match self {
            OneOrMany::One(one) => Some(vec![((written.referenced, written.defined), one)]),
            OneOrMany::Many(many) => Some(
                many.iter().map(|item| ((item.referenced, item.defined), &item.value)).collect(),
            ),
            OneOrMany::Neither => None,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            OneOrMany::One(_) => 1,
            OneOrMany::Many(many) => many.len(),
            OneOrMany::Neither => 0,
        }
    }
}

impl<T> Default for Given<T> {
    fn default() -> Given<T> {
        Given(None)
    }
}

impl<T> Deref for Given<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given<T>, D::Error> {
        T::deserialize(deserializer).map(|value| Given(Some(value)))
    }
}

impl<T> Deref for Table<T> {
    type Target = [(Text, T)];

    fn deref(&self) -> &[(Text, T)] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Table<T>, D::Error> {
        struct Rows<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<T>, A::Error> {
                let mut rows = Vec::new();
                while let Some(key) = map.next_key()? {
                    rows.push((key, map.next_value()?));
                }
                Ok(Table(rows))
            }
        }

        deserializer.deserialize_map(Rows(PhantomData))
    }
}

/// What a visitor does with values that have neither of its two forms: it takes them, to be told later.
macro_rules! neither {
    ($value:ty) => {
        fn visit_unit<E>(self) -> Result<$value, E> {
            Ok(<$value>::Neither)
        }

        fn visit_bool<E>(self, _: bool) -> Result<$value, E> {
            Ok(<$value>::Neither)
        }

        fn visit_i64<E>(self, _: i64) -> Result<$value, E> {
            Ok(<$value>::Neither)
        }

        fn visit_u64<E>(self, _: u64) -> Result<$value, E> {
            Ok(<$value>::Neither)
        }

        fn visit_f64<E>(self, _: f64) -> Result<$value, E> {
            Ok(<$value>::Neither)
        }
    };
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WordOr<T>, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = WordOr<T>;

            neither!(WordOr<T>);

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a mapping")
            }

            fn visit_str<E>(self, word: &str) -> Result<WordOr<T>, E> {
                Ok(WordOr::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WordOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(WordOr::More)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<WordOr<T>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(WordOr::Neither)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            neither!(OneOrMany<T>);

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a mapping, or a list of those")
            }

            fn visit_str<E>(self, text: &str) -> Result<OneOrMany<T>, E> {
                Ok(OneOrMany::One(WordOr::Word(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(item) = list.next_element()? {
                    many.push(item);
                }
                Ok(OneOrMany::Many(many))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                let one = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(OneOrMany::One(WordOr::More(one)))
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}
