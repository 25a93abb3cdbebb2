//! Sources of documents: what kind they are, and how their records are to be read.

use std::collections::HashMap;

use serde_saphyr::Location;

use crate::calendar::Zone;
use crate::config::check::Check;
use crate::config::lines;
use crate::config::problem::Fault;
use crate::config::written;
use crate::config::yaml::{Table, Text};
use crate::format::stamp::TimeFormat;
use crate::format::{DOCUMENT_PRESETS, Document, DocumentPreset, Field, Format, Match, Spec};

/// What a source reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lines that are appended.
    Log,
    /// Maintenance notices.
    Notices,
    /// Change records.
    Changes,
}

impl Kind {
    const ALL: &'static [Kind] = &[Kind::Log, Kind::Notices, Kind::Changes];

    fn as_str(self) -> &'static str {
        match self {
            Kind::Log => "log",
            Kind::Notices => "notices",
            Kind::Changes => "changes",
        }
    }
}

/// Fields that no record of a document has.
const OF_RUNS: &[Field] = &[
    Field::Event,
    Field::RunId,
    Field::Trigger,
    Field::Phase,
    Field::Outcome,
    Field::Start,
    Field::End,
    Field::Duration,
];

/// The names under which a JSON object may hold its records, where a source names none.
const RECORDS: [&str; 3] = ["result", "records", "events"];

/// How a record comes to its procedure.
const KIND_OF_WORK: &str = "fields: { procedure: COLUMN } such as category, or short_description with values by pattern, or defaults: { procedure: NAME }";

/// The keys of a notice: their own names are those of the standard, without `X-MAINTNOTE-`.
const NOTICE_FIELDS: &[(Field, &str)] = &[
    (Field::Service, "account"),
    (Field::Procedure, "object"),
    (Field::ChangeId, "maintenance_id"),
    (Field::Slot, "uid"),
    (Field::Revision, "sequence"),
    (Field::Status, "status"),
    (Field::PlannedStart, "dtstart"),
    (Field::PlannedEnd, "dtend"),
    (Field::Time, "dtstamp"),
    (Field::Accepted, "partstat"),
];

impl Check<'_> {
    /// What a source reads; a preset of change records says so by itself.
    pub fn kind(&mut self, written: &written::Source) -> Option<Kind> {
        let named = written.preset.as_ref().and_then(|text| DocumentPreset::find(&text.value));
        let kind = match (written.kind.as_ref(), named) {
            (Some(text), _) => self.word(text, "kind", Kind::ALL, Kind::as_str)?,
            (None, Some(_)) => Kind::Changes,
            (None, None) => Kind::Log,
        };
        let records = written.records.as_ref().map(|text| text.defined);
        if let Some(at) = records.filter(|_| kind != Kind::Changes) {
            self.not_of_kind("records", at, kind, "kind changes");
        }
        Some(kind)
    }

    /// How the records of a source of documents are read. `zone` is that of stamps without an offset; `at` is where
    /// the source begins.
    pub fn record_spec(
        &mut self,
        at: Location,
        written: &written::Source,
        zone: Zone,
        kind: Kind,
    ) -> Option<Spec> {
        self.only_of_logs(written, kind);
        let preset = match written.preset.as_ref() {
            Some(text) => Some(self.document_preset(text, kind)?),
            None => None,
        };
        let format = match kind {
            Kind::Changes => self.records_format(at, written, preset),
            _ => Some(json()),
        };
        let matching = written.matching.as_ref().and_then(|m| self.matching(m));
        let time_format = written.time_format.as_ref().map(|text| {
            TimeFormat::parse(&text.value).unwrap_or_else(|message| {
                self.error(text.defined, message);
                TimeFormat::Auto
            })
        });
        let own = written.fields.as_ref().map(|table| self.record_fields(table));
        let mut fields = pairs(if kind == Kind::Notices { NOTICE_FIELDS } else { &[] });
        fields.extend(preset.map(|p| pairs(p.fields)).unwrap_or_default());
        fields.extend(own.unwrap_or_default());
        let mut values: HashMap<Field, HashMap<String, String>> = HashMap::new();
        for (field, theirs, ours) in preset.map_or(&[] as &[_], |p| p.values) {
            values.entry(*field).or_default().insert((*theirs).into(), (*ours).into());
        }
        let own = written.values.as_ref().map(|table| self.values(table)).unwrap_or_default();
        for (field, words) in own.words {
            values.entry(field).or_default().extend(words);
        }
        let mut named = preset.map(|preset| preset.needed.to_vec()).unwrap_or_default();
        if let Some(table) = written.fields.as_ref() {
            named.extend(lines::named(table));
        }
        let mut defaults = preset.map(|p| pairs(p.defaults)).unwrap_or_default();
        defaults.extend(written.defaults.as_ref().map(|t| self.defaults(t)).unwrap_or_default());
        if let Some(text) = written.preset.as_ref().filter(|_| {
            !fields.contains_key(&Field::Procedure) && !defaults.contains_key(&Field::Procedure)
        }) {
            let fault = Fault::new("nothing tells what kind of work a change is: it fits no run");
            self.warn(text.defined, fault.accepted(KIND_OF_WORK));
        }
        let records = self.record_names(written);
        Some(Spec {
            time_format: time_format.unwrap_or(TimeFormat::Auto),
            matching: matching.or(preset.and_then(|p| p.matching).map(match_of)),
            fields,
            values,
            value_patterns: own.patterns,
            named,
            defaults,
            document: Some(match kind {
                Kind::Changes => Document::Changes { records },
                _ => Document::Notices,
            }),
            ..Spec::new(format?, zone)
        })
    }

    fn document_preset(&mut self, text: &Text, kind: Kind) -> Option<&'static DocumentPreset> {
        if kind == Kind::Notices {
            self.not_of_kind("preset", text.defined, kind, "another kind");
            return None;
        }
        let found = DocumentPreset::find(&text.value);
        if found.is_none() {
            let names: Vec<&str> = DOCUMENT_PRESETS.iter().map(|preset| preset.name).collect();
            self.unknown(text, "preset of change records", &names);
        }
        found
    }

    fn records_format(
        &mut self,
        at: Location,
        written: &written::Source,
        preset: Option<&DocumentPreset>,
    ) -> Option<Format> {
        let given = written.format.as_ref();
        let format = match preset.and_then(|preset| preset.format).filter(|_| given.is_none()) {
            Some(format) => format,
            None => {
                let text = self.required(at, "format", &written.format)?;
                self.word(text, "format of change records", &["csv", "json"], |word| word)?
            }
        };
        self.belongs("delimiter", &["csv"], format, written.delimiter.as_ref().map(|w| w.defined));
        match format {
            "csv" => Some(Format::Csv { delimiter: self.delimiter(&written.delimiter)? }),
            _ => Some(json()),
        }
    }

    fn record_fields(&mut self, table: &Table<Text>) -> HashMap<Field, String> {
        let fields = self.fields(table, None);
        for (ours, _) in table.iter() {
            if OF_RUNS.iter().any(|field| field.as_str() == ours.value) {
                let fault = Fault::new(format!("{:?} is a field of runs", ours.value));
                self.error(ours.defined, fault.accepted("the fields of a change"));
            }
        }
        fields
    }

    fn record_names(&mut self, written: &written::Source) -> Vec<String> {
        match written.records.as_ref() {
            Some(text) => self.text(text).into_iter().map(str::to_owned).collect(),
            None => RECORDS.map(str::to_owned).to_vec(),
        }
    }

    /// Keys that say how lines are read.
    fn only_of_logs(&mut self, written: &written::Source, kind: Kind) {
        let of_lines = [
            ("message_format", written.message_format.as_ref().map(|w| w.defined)),
            ("pattern", written.pattern.as_ref().map(|w| w.defined)),
            ("patterns", written.patterns.as_ref().map(|w| w.defined)),
            ("continuation", written.continuation.as_ref().map(|w| w.defined)),
            ("encoding", written.encoding.as_ref().map(|w| w.defined)),
            ("run_id_prefix", written.run_id_prefix.as_ref().map(|w| w.defined)),
        ];
        let of_records = [
            ("format", written.format.as_ref().map(|w| w.defined)),
            ("delimiter", written.delimiter.as_ref().map(|w| w.defined)),
        ];
        let of_lines = of_lines.map(|(key, at)| (key, at, "kind log"));
        let of_records = of_records.map(|(key, at)| (key, at, "another kind"));
        let of_records = of_records.into_iter().filter(|_| kind == Kind::Notices);
        for (key, at, owner) in of_lines.into_iter().chain(of_records) {
            if let Some(at) = at {
                self.not_of_kind(key, at, kind, owner);
            }
        }
    }

    fn not_of_kind(&mut self, key: &str, at: Location, kind: Kind, owner: &str) {
        let fault = Fault::new(format!("{key:?} does not belong to kind {}", kind.as_str()));
        self.error(at, fault.accepted(format!("{key:?} with {owner}")));
    }
}

fn json() -> Format {
    Format::Json { patterns: Vec::new() }
}

fn pairs(pairs: &[(Field, &str)]) -> HashMap<Field, String> {
    pairs.iter().map(|(field, text)| (*field, (*text).to_owned())).collect()
}

fn match_of((key, any): (&str, &[&str])) -> Match {
    Match { key: Some(key.to_owned()), any: any.iter().map(|word| (*word).to_owned()).collect() }
}
