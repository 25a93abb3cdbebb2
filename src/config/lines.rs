//! How a source's lines are to be read: format, pattern, cheap test, fields and words.

use std::collections::HashMap;

use regex::bytes::{Regex, RegexBuilder};
use serde_saphyr::{Location, Spanned};

use crate::calendar::Zone;
use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::written;
use crate::config::yaml::{Given, Table, Text, WordOr};
use crate::event::{ChangeType, Kind, Status, Trigger};
use crate::format::stamp::TimeFormat;
use crate::format::{Field, Format, Match, MessageFormat, Spec};

/// Memory that one compiled pattern may take, and that its lazy automaton may take: matching is linear in
/// the line, so that compiling is all that a pattern could exhaust.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The words of `format`.
const FORMATS: [&str; 5] = ["json", "logfmt", "syslog", "csv", "regex"];
/// The words of `message_format`.
const MESSAGE_FORMATS: [&str; 2] = ["logfmt", "json"];

/// Field -> their word -> our word.
type Values = HashMap<Field, HashMap<String, String>>;

impl Check<'_> {
    /// `zone` is that of stamps without an offset; `at` is where the source begins.
    pub fn spec(&mut self, at: Location, written: &written::Source, zone: Zone) -> Option<Spec> {
        let format = self.format(at, written);
        let message_format = written.message_format.as_ref().map(|m| self.message_format(m));
        let matching = written.matching.as_ref().and_then(|m| self.matching(m));
        let time_format = match written.time_format.as_ref() {
            None => TimeFormat::Auto,
            Some(text) => TimeFormat::parse(&text.value).unwrap_or_else(|message| {
                self.error(text.defined, message);
                TimeFormat::Auto
            }),
        };
        let fields = written.fields.as_ref().map(|table| self.fields(table, format.as_ref()));
        let values = written.values.as_ref().map(|table| self.values(table));
        Some(Spec {
            format: format?,
            message_format: message_format.flatten(),
            time_format,
            zone,
            matching,
            fields: fields.unwrap_or_default(),
            values: values.unwrap_or_default(),
            defaults: HashMap::new(),
            document: None,
        })
    }

    fn format(&mut self, at: Location, written: &written::Source) -> Option<Format> {
        let text = self.required(at, "format", &written.format)?;
        let format = self.word(text, "format", &FORMATS, |word| word)?;
        self.belongs("delimiter", "csv", format, written.delimiter.as_ref().map(|w| w.defined));
        self.belongs("pattern", "regex", format, written.pattern.as_ref().map(|w| w.defined));
        let message_format = written.message_format.as_ref().map(|w| w.defined);
        self.belongs("message_format", "syslog", format, message_format);
        match format {
            "json" => Some(Format::Json),
            "logfmt" => Some(Format::Logfmt),
            "syslog" => Some(Format::Syslog),
            "csv" => Some(Format::Csv { delimiter: self.delimiter(&written.delimiter)? }),
            _ => {
                let pattern = self.required(text.defined, "pattern", &written.pattern)?;
                self.pattern(pattern).map(Format::Regex)
            }
        }
    }

    /// A key that only one format has.
    fn belongs(&mut self, key: &str, owner: &str, format: &str, at: Option<Location>) {
        if let Some(at) = at.filter(|_| owner != format) {
            let fault = Fault::new(format!("{key:?} does not belong to format {format}"));
            self.error(at, fault.accepted(format!("{key:?} with format {owner}")));
        }
    }

    fn delimiter(&mut self, given: &Given<Text>) -> Option<u8> {
        let Some(text) = given.as_ref() else { return Some(b',') };
        match text.value.as_bytes() {
            [byte] if !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Some(*byte),
            _ => {
                let fault = Fault::new(format!("{:?} is no delimiter", text.value));
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
    fn pattern(&mut self, text: &Text) -> Option<Regex> {
        let regex = RegexBuilder::new(&text.value)
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .build();
        match regex {
            Ok(regex) if regex.capture_names().flatten().next().is_some() => Some(regex),
            Ok(_) => {
                let fault = Fault::new("pattern without named groups: no field could be found");
                self.error(text.defined, fault.accepted("groups such as (?P<time>\\S+)"));
                None
            }
            Err(error) => {
                self.error(text.defined, format!("pattern cannot be used: {}", reason(&error)));
                None
            }
        }
    }

    fn matching(&mut self, written: &Spanned<written::Match>) -> Option<Match> {
        let key = written.value.key.as_ref().map(|key| self.text(key).map(str::to_owned));
        self.required(written.defined, "any", &written.value.any)?;
        let any = self.list(&written.value.any).iter();
        let any: Vec<_> = any.filter_map(|text| self.text(text)).map(str::to_owned).collect();
        Some(Match { key: key.flatten(), any })
    }

    fn fields(&mut self, table: &Table<Text>, format: Option<&Format>) -> HashMap<Field, String> {
        let mut fields = HashMap::new();
        for (ours, theirs) in table.iter() {
            let field = self.word(ours, "field", Field::ALL, Field::as_str);
            let key = self.text(theirs);
            if let (Some(Format::Regex(regex)), Some(key)) = (format, key) {
                let groups: Vec<&str> = regex.capture_names().flatten().collect();
                if !groups.contains(&key) {
                    self.unknown(theirs, "group of the pattern", &groups);
                }
            }
            if let (Some(field), Some(key)) = (field, key) {
                fields.insert(field, key.to_owned());
            }
        }
        fields
    }

    fn values(&mut self, table: &Table<Table<Text>>) -> Values {
        let mut values = Values::new();
        for (name, words) in table.iter() {
            let Some(field) = self.word(name, "field", Field::ALL, Field::as_str) else { continue };
            for (theirs, ours) in words.iter() {
                if let Some(word) = self.our_word(field, ours) {
                    values.entry(field).or_default().insert(theirs.value.clone(), word.to_owned());
                }
            }
        }
        values
    }

    /// A word that theirs is translated to; those of four fields are closed sets.
    fn our_word<'t>(&mut self, field: Field, text: &'t Text) -> Option<&'t str> {
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

/// What is wrong with a pattern, in one line.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("compiled it takes more than {limit} bytes"),
        error => {
            let text = error.to_string();
            let told = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
            told.map_or_else(|| text.replace('\n', " "), str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_error_is_told_in_one_line() {
        for (pattern, want) in [
            ("(a", "unclosed group"),
            ("a{2,1}", "invalid repetition count range, the start must be <= the end"),
            ("(?P<a>x)(?P<a>y)", "duplicate capture group name"),
        ] {
            let error = Regex::new(pattern).unwrap_err();
            assert_eq!(reason(&error), want);
        }
        assert_eq!(reason(&regex::Error::CompiledTooBig(7)), "compiled it takes more than 7 bytes");
    }
}
