//! Whole lines: what they become, and which of them are looked at.

mod blocks;
mod formats;
mod meaning;
mod never_panics;

use super::super::{Format, Match, Member, MessageFormat, Partners, Pattern, TimeFormat, compile};
use super::*;
use crate::calendar::Zone;
use crate::event::{Body, Event};
use crate::time::rfc3339;

/// A source in the making.
#[derive(Clone)]
struct Source(Spec);

fn source(format: Format) -> Source {
    Source(Spec::new(format, Zone::utc()))
}

fn json_source() -> Source {
    source(Format::Json { patterns: Vec::new() })
}

fn regex_source(regex: ::regex::bytes::Regex) -> Source {
    source(Format::Regex(vec![Pattern::plain(regex)]))
}

fn logfmt() -> Source {
    source(Format::Logfmt)
}

impl Source {
    fn matching(mut self, key: Option<&str>, any: &[&str]) -> Source {
        let any = any.iter().map(|word| word.to_string()).collect();
        self.0.matching = Some(Match { key: key.map(str::to_owned), any });
        self
    }

    fn map(mut self, ours: Field, theirs: &str) -> Source {
        self.0.fields.insert(ours, theirs.to_owned());
        self
    }

    fn value(mut self, field: Field, theirs: &str, ours: &str) -> Source {
        let values = self.0.values.entry(field).or_default();
        values.insert(theirs.to_owned(), ours.to_owned());
        self
    }

    fn zone(mut self, name: &str) -> Source {
        self.0.zone = Zone::find(name).unwrap();
        self
    }

    fn time_format(mut self, text: &str) -> Source {
        self.0.time_format = TimeFormat::parse(text).unwrap();
        self
    }

    fn message(mut self, format: MessageFormat) -> Source {
        self.0.message_format = Some(format);
        self
    }

    fn reader(self) -> Reader {
        Reader::new(Arc::new(self.0))
    }

    /// `want`: see [`show`]; read without anything known of the file.
    fn check(&self, line: &str, want: &str) {
        let reader = self.clone().reader();
        assert_eq!(read(&reader, line, &FileState::default()), want, "{line}");
    }

    /// `want`: the reason, and the column (0: none) of a rejection.
    fn check_rejected(&self, line: &str, want: Reason, column: usize) {
        let reader = self.clone().reader();
        match reader.read(line.as_bytes(), &FileState::default(), near()) {
            Reading::Rejected(rejection) => {
                let found = (rejection.reason, rejection.column.unwrap_or(0));
                assert_eq!(found, (want, column), "{line}: {}", rejection.detail);
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

fn near() -> Instant {
    utc("2025-11-10T13:00:00Z")
}

fn utc(text: &str) -> Instant {
    text.parse().unwrap()
}

fn read(reader: &Reader, line: &str, file: &FileState) -> String {
    show(&reader.read(line.as_bytes(), file, near()))
}

/// An event as `kind time key=value ...`, with what is there in the order of the fields; `ignored`; a reason.
fn show(reading: &Reading) -> String {
    match reading {
        Reading::Ignored => "ignored".to_owned(),
        Reading::Rejected(rejection) => rejection.reason.to_string(),
        Reading::Event(event) => show_event(event),
    }
}

fn show_event(event: &Event) -> String {
    let name = |key: &str, name: &Option<Box<str>>| match name {
        Some(name) => format!(" {key}={name}"),
        None => String::new(),
    };
    let services = |names: &[Box<str>]| match names {
        [] => String::new(),
        _ => format!(" service={}", names.join(",")),
    };
    let mut text =
        format!("{}{}", rfc3339(event.at), if event.other_reading.is_some() { "?" } else { "" });
    match &event.body {
        Body::Run(run) => {
            text = format!("{} {text}", run.kind);
            text += &name("procedure", &run.procedure);
            text += &services(&run.services);
            text += &name("run_id", &run.run_id);
            text += &name("change_id", &run.change_id);
            if run.trigger != crate::event::Trigger::Unknown {
                text += &format!(" trigger={}", run.trigger);
            }
            text += &name("phase", &run.phase);
            text += &name("outcome", &run.outcome);
            if let Some((start, end)) = run.whole {
                text += &format!(" whole={}/{}", rfc3339(start), rfc3339(end));
            }
        }
        Body::Notice(notice) => {
            text = format!("{} {text}", notice.status.map_or("-", |s| s.as_str()));
            text += &name("procedure", &notice.procedures.first().cloned());
            text += &services(&notice.services);
            text += &name("change_id", &Some(notice.change_id.clone()));
            text += &name("revision", &notice.revision.map(|n| n.to_string().into()));
            text += &name("type", &notice.change_type.map(|t| t.as_str().into()));
            text += &name("from", &notice.planned_start.map(|t| rfc3339(t).into()));
            text += &name("to", &notice.planned_end.map(|t| rfc3339(t).into()));
        }
    }
    text
}
