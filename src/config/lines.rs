//! How a source's lines are to be read: format, pattern, cheap test, fields and words.

use std::collections::HashMap;

use regex::bytes::Regex;
use serde_saphyr::{Location, Spanned};

use crate::calendar::Zone;
use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::written;
use crate::config::yaml::{Given, Table, Text, WordOr};
use crate::event::{ChangeType, Kind, Status, Trigger};
use crate::format::stamp::TimeFormat;
use crate::format::{self, Encoding, Field, Format, KnownKeys, Match, MessageFormat, Spec};

/// The words of `format`.
const FORMATS: [&str; 5] = ["json", "logfmt", "syslog", "csv", "regex"];
/// The words of `encoding`.
const ENCODINGS: [&str; 6] = ["auto", "utf-8", "utf-16le", "utf-16be", "windows-1252", "latin-1"];
/// The words of `message_format`.
const MESSAGE_FORMATS: [&str; 2] = ["logfmt", "json"];

/// Fields that are read as times: what `values` says of them would never be used.
const TIMES: [Field; 6] = [
    Field::Time,
    Field::Start,
    Field::End,
    Field::PlannedStart,
    Field::PlannedEnd,
    Field::ConfirmedAt,
];

/// What theirs mean.
#[derive(Default)]
pub(super) struct Values {
    /// Field -> their word -> our word.
    pub words: HashMap<Field, HashMap<String, String>>,
    /// Field, pattern of their words, our word.
    pub patterns: Vec<(Field, Regex, String)>,
}

impl Check<'_> {
    /// `zone` is that of stamps without an offset; `at` is where the source begins. What a preset says stands
    /// where the source says nothing: for `fields`, `values` and `defaults` entry by entry.
    pub fn spec(&mut self, at: Location, written: &written::Source, zone: Zone) -> Option<Spec> {
        let has_preset = written.preset.is_some();
        let preset = self.preset(written).and_then(|preset| preset.spec(zone.clone()).ok());
        let format = match has_preset && preset.is_none() {
            // That has been told, and whatever else is missing would come from the preset.
            true => None,
            false => self.format(at, written, preset.as_ref().map(|preset| &preset.format)),
        };
        let message_format = written.message_format.as_ref().map(|m| self.message_format(m));
        let matching = written.matching.as_ref().and_then(|m| self.matching(m));
        let time_format = written.time_format.as_ref().map(|text| {
            TimeFormat::parse(&text.value).unwrap_or_else(|message| {
                self.error(text.defined, message);
                TimeFormat::Auto
            })
        });
        let message = message_format.as_ref().and_then(Option::as_ref);
        let message = message.or_else(|| preset.as_ref()?.message_format.as_ref());
        let known = format.as_ref().and_then(|format| format.keys(message));
        let fields = written.fields.as_ref().map(|table| self.fields(table, known.as_ref()));
        self.partner_key(written, known.as_ref());
        self.known_groups(written);
        if let Some(Format::Regex(forms)) = &format {
            self.useful(written, forms, fields.as_ref());
        }
        let values = written.values.as_ref().map(|table| self.values(table));
        let defaults = written.defaults.as_ref().map(|table| self.defaults(table));
        let prefix = written.run_id_prefix.as_ref().and_then(|text| self.text(text));
        let name = format.as_ref().map(name_of);
        let continuation = written.continuation.as_ref();
        let continuation = continuation.and_then(|text| self.continuation(text, name));
        let format = format?;
        let mut spec = preset.unwrap_or_else(|| Spec::new(format.clone(), zone));
        spec.format = format;
        spec.message_format = message_format.flatten();
        spec.time_format = time_format.unwrap_or(spec.time_format);
        let encoding = written.encoding.as_ref();
        let encoding = encoding.and_then(|text| self.word(text, "encoding", &ENCODINGS, |w| w));
        spec.encoding = encoding.and_then(Encoding::parse).unwrap_or(Encoding::Auto);
        spec.matching = matching.or(spec.matching);
        spec.fields.extend(fields.unwrap_or_default());
        let values = values.unwrap_or_default();
        for (field, words) in values.words {
            spec.values.entry(field).or_default().extend(words);
        }
        spec.value_patterns = values.patterns;
        if let Some(table) = written.fields.as_ref().filter(|_| name == Some("csv")) {
            spec.named = named(table);
        }
        spec.defaults.extend(defaults.unwrap_or_default());
        spec.run_id_prefix = prefix.unwrap_or_default().to_owned();
        spec.continuation = continuation.or(spec.continuation);
        Some(spec)
    }

    /// `preset`: the format where the source names none; its patterns stay unless the source has its own.
    fn format(
        &mut self,
        at: Location,
        written: &written::Source,
        preset: Option<&Format>,
    ) -> Option<Format> {
        let text = written.format.as_ref();
        let (name, at) = match (text, preset) {
            (Some(text), _) => (self.word(text, "format", &FORMATS, |word| word)?, text.defined),
            (None, Some(format)) => (name_of(format), at),
            (None, None) => {
                self.required(at, "format", &written.format)?;
                return None;
            }
        };
        self.belongs("delimiter", &["csv"], name, written.delimiter.as_ref().map(|w| w.defined));
        self.belongs("pattern", &["regex"], name, written.pattern.as_ref().map(|w| w.defined));
        let patterns = written.patterns.as_ref().map(|w| w.defined);
        self.belongs("patterns", &["regex", "json"], name, patterns);
        let message_format = written.message_format.as_ref().map(|w| w.defined);
        self.belongs("message_format", &["syslog"], name, message_format);
        let has_forms = written.pattern.is_some() || written.patterns.is_some();
        let forms = self.forms(written);
        match (name, preset.filter(|_| text.is_none() && !has_forms)) {
            (_, Some(preset)) => Some(preset.clone()),
            ("json", _) if has_forms => Some(Format::Json { patterns: forms? }),
            ("json", _) => Some(Format::Json { patterns: Vec::new() }),
            ("logfmt", _) => Some(Format::Logfmt),
            ("syslog", _) => Some(Format::Syslog),
            ("csv", _) => Some(Format::Csv { delimiter: self.delimiter(&written.delimiter)? }),
            _ => {
                if !has_forms {
                    self.required(at, "pattern", &written.pattern);
                }
                forms.map(Format::Regex)
            }
        }
    }

    /// A key that only some formats have.
    pub(super) fn belongs(
        &mut self,
        key: &str,
        owners: &[&str],
        format: &str,
        at: Option<Location>,
    ) {
        if let Some(at) = at.filter(|_| !owners.contains(&format)) {
            self.misplaced(key, format, at, &format!("format {}", owners.join(" or ")));
        }
    }

    pub(super) fn delimiter(&mut self, given: &Given<Text>) -> Option<u8> {
        let Some(text) = given.as_ref() else { return Some(b',') };
        match text.value.as_bytes() {
            [byte] if !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Some(*byte),
            _ => {
                let fault = Fault::new(format!("{:?} is not a delimiter", text.value));
                let accepted =
                    "one character of ASCII, such as \";\" or \"\\t\"; no quote, no line end";
                self.error(text.defined, fault.accepted(accepted));
                None
            }
        }
    }

    fn message_format(
        &mut self,
        written: &Spanned<WordOr<written::MessagePattern>>,
    ) -> Option<MessageFormat> {
        match &written.value {
            WordOr::Word(word) => {
                let text = Spanned::new(word.clone(), written.referenced, written.defined);
                match self.word(&text, "message format", &MESSAGE_FORMATS, |word| word)? {
                    "json" => Some(MessageFormat::Json),
                    _ => Some(MessageFormat::Logfmt),
                }
            }
            WordOr::Neither => {
                self.wrong_form(written.defined, "logfmt, json or { regex: PATTERN }");
                None
            }
            WordOr::More(more) => {
                let pattern = self.required(written.defined, "regex", &more.regex)?;
                self.pattern(pattern).map(MessageFormat::Regex)
            }
        }
    }

    /// A regular expression whose named groups are the fields.
    pub fn pattern(&mut self, text: &Text) -> Option<Regex> {
        let regex = self.regex(text)?;
        if regex.capture_names().flatten().next().is_none() {
            let fault = Fault::new("pattern without named groups: no field could be found");
            self.error(text.defined, fault.accepted("groups such as (?P<time>\\S+)"));
            return None;
        }
        Some(regex)
    }

    /// A regular expression.
    pub fn regex(&mut self, text: &Text) -> Option<Regex> {
        let regex = format::compile(&text.value);
        let told = |error| self.error(text.defined, format!("pattern cannot be used: {error}"));
        regex.map_err(told).ok()
    }

    pub(super) fn matching(&mut self, written: &Spanned<written::Match>) -> Option<Match> {
        let key = written.value.key.as_ref().map(|key| self.text(key).map(str::to_owned));
        self.required(written.defined, "any", &written.value.any)?;
        let any = self.list(&written.value.any).iter();
        let any: Vec<_> = any.filter_map(|text| self.text(text)).map(str::to_owned).collect();
        Some(Match { key: key.flatten(), any })
    }

    pub(super) fn fields(
        &mut self,
        table: &Table<Text>,
        known: Option<&KnownKeys>,
    ) -> HashMap<Field, String> {
        let mut fields = HashMap::new();
        for (ours, theirs) in table.iter() {
            let field = self.word(ours, "field", Field::ALL, Field::as_str);
            let key = self.text(theirs);
            self.known_key(theirs, known);
            if let (Some(field), Some(key)) = (field, key) {
                fields.insert(field, key.to_owned());
            }
        }
        fields
    }

    /// A key that lines can have, where only some are possible.
    pub(super) fn known_key(&mut self, key: &Text, known: Option<&KnownKeys>) {
        if let Some(known) = known.filter(|known| !known.has(&key.value)) {
            self.unknown(key, known.what, &known.names);
        }
    }

    pub(super) fn values(&mut self, table: &Table<Table<Text>>) -> Values {
        let mut values = Values::default();
        for (name, words) in table.iter() {
            let Some(field) = self.word(name, "field", Field::ALL, Field::as_str) else { continue };
            if TIMES.contains(&field) {
                let fault = Fault::new(format!("values of {field}: a time is no word"));
                self.error(name.defined, fault.accepted("time_format, or values of other fields"));
                continue;
            }
            for (theirs, ours) in words.iter() {
                let Some(word) = self.our_word(field, ours) else { continue };
                let regex = self.value_pattern(theirs);
                values.patterns.extend(regex.map(|regex| (field, regex, word.to_owned())));
                let words = values.words.entry(field).or_default();
                words.insert(theirs.value.clone(), word.to_owned());
            }
        }
        values
    }

    /// What stands between two slashes is a pattern.
    pub(super) fn value_pattern(&mut self, theirs: &Text) -> Option<Regex> {
        let inner = theirs.value.strip_prefix('/').and_then(|text| text.strip_suffix('/'));
        let Some(pattern) = inner.filter(|pattern| !pattern.is_empty()) else {
            self.no_pattern(theirs);
            return None;
        };
        let told = |error| self.error(theirs.defined, format!("pattern cannot be used: {error}"));
        format::compile(pattern).map_err(told).ok()
    }

    /// A word that looks like a pattern and is none would never be found.
    fn no_pattern(&mut self, theirs: &Text) {
        let text = &theirs.value;
        let signs = [".*", ".+", "\\d", "\\w", "\\s", "\\b", "(?"];
        if text.starts_with('^') || signs.iter().any(|sign| text.contains(sign)) {
            let fault = Fault::new(format!("{text:?} looks like a pattern and is taken as a word"));
            self.error(theirs.defined, fault.accepted(format!("\"/{text}/\" for a pattern")));
        }
    }

    /// A word that theirs is translated to; those of four fields are closed sets.
    pub fn our_word<'t>(&mut self, field: Field, text: &'t Text) -> Option<&'t str> {
        let is_ours = match field {
            Field::Event => self.word(text, "event", Kind::ALL, Kind::as_str).is_some(),
            Field::Status => self.word(text, "status", Status::ALL, Status::as_str).is_some(),
            Field::Trigger => self.word(text, "trigger", Trigger::ALL, Trigger::as_str).is_some(),
            Field::ChangeType => {
                self.word(text, "change type", ChangeType::ALL, ChangeType::as_str).is_some()
            }
            _ => return self.text(text),
        };
        is_ours.then_some(&text.value)
    }
}

/// The fields that a table names.
pub(super) fn named(table: &Table<Text>) -> Vec<Field> {
    table.iter().filter_map(|(ours, _)| Field::parse(&ours.value)).collect()
}

/// The word of a format.
fn name_of(format: &Format) -> &'static str {
    match format {
        Format::Json { .. } => "json",
        Format::Logfmt => "logfmt",
        Format::Syslog => "syslog",
        Format::Csv { .. } => "csv",
        Format::Regex(_) => "regex",
    }
}
