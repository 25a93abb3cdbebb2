//! The case of one run, as one would send it to the partner: sections with rows, of which text, Markdown and HTML
//! are made. Text from logs stands in it as it was written; whoever shows it makes it harmless.

mod happened;
pub mod incident;
mod page;
mod plan;
mod rules;
mod run;
mod should;
mod words;

pub use should::answer_before;

use std::collections::HashMap;

use serde::Serialize;

use crate::calendar::Zone;
use crate::ledger::{Answer, Entry, terms_of};
use crate::policy::Policy;
use crate::run::{Place, Run, RunNo};
use crate::time::{Instant, rfc3339};
use crate::verdict::local;

/// Everything that a case is made of.
pub struct Evidence<'a> {
    pub run: &'a Run,
    /// Nanoseconds in business hours and outside the windows, as the ledger has them.
    pub counted: (i128, i128),
    /// Every entry about the run, with its number.
    pub entries: &'a [(u64, Entry)],
    /// The revisions of its change, with their numbers.
    pub revisions: &'a [(u64, Entry)],
    /// Questions about such a run that were put on record in the day before it began.
    pub questions: &'a [(u64, Entry)],
    /// What would have been answered to somebody who asked just before it began: see [`answer_before`].
    pub answer: Option<&'a Answer>,
    pub policy: &'a Policy,
    /// What the log files hold now at the places of the entries.
    pub lines: &'a Lines,
}

/// What log files hold at places, by the number of the file and the offset.
pub type Lines = HashMap<(u64, u64), Line>;

/// What a log file holds at the place of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The line that the entry came from.
    Same(String),
    /// Another one, or nothing.
    Gone,
}

/// A case. Everything in it is for people; instants are written in the zone of the service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseFile {
    pub run: RunNo,
    pub title: String,
    /// What happened and what of the agreement that broke, in a sentence or two.
    pub summary: String,
    pub verdict: &'static str,
    /// The verdict is not final.
    pub provisional: bool,
    /// The name of the zone in which times are written.
    pub zone: String,
    pub sections: Vec<Section>,
}

/// Rows under a heading.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    pub title: &'static str,
    /// What is to be known of all rows; empty if nothing is.
    pub note: String,
    pub rows: Vec<Row>,
}

/// One thing that is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// What a rule says of it.
    pub sign: Option<Sign>,
    pub label: String,
    pub text: String,
    /// The instant that it is about, RFC 3339 in UTC.
    pub at: Option<String>,
    pub source: Option<Source>,
}

/// Where a row comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    pub file: String,
    /// Byte offset of the line.
    pub offset: u64,
    /// The line, if the file was asked and still holds it.
    pub line: Option<String>,
    /// The file was asked, and does not hold it any more.
    pub gone: bool,
}

/// What a rule says of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    Broken,
    Waived,
    Kept,
    /// Kept so far.
    Holds,
    /// It has nothing to say.
    Silent,
}

impl Sign {
    /// The word for people: only what is broken is loud.
    pub fn as_str(self) -> &'static str {
        match self {
            Sign::Broken => "BROKEN",
            Sign::Waived => "waived",
            Sign::Kept => "kept",
            Sign::Holds => "holds",
            Sign::Silent => "silent",
        }
    }
}

impl CaseFile {
    /// The case as the evidence tells it; its times are in the zone of the service.
    pub fn new(evidence: &Evidence) -> CaseFile {
        let run = evidence.run;
        let terms = terms_of(evidence.policy, run);
        let zone = terms.map_or_else(Zone::utc, |terms| terms.zone.clone());
        let teller = Teller { evidence, zone };
        let mut sections = vec![teller.the_run(), teller.asked(), teller.plan()];
        sections.extend([teller.happened(), teller.rules(), teller.should()]);
        sections.retain(|section| !section.rows.is_empty());
        let id = run.run_id.as_deref().map_or(String::new(), |id| format!(" ({id})"));
        CaseFile {
            run: run.no,
            title: format!("Run {}{id} of {} by {}", run.no, run.procedure, run.partner),
            summary: teller.summary(),
            verdict: run.verdict().as_str(),
            provisional: !run.sealed,
            zone: teller.zone.name().into(),
            sections,
        }
    }
}

impl CaseFile {
    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }

    /// The first row with this label.
    pub fn row(&self, label: &str) -> Option<&Row> {
        self.rows().find(|row| row.label == label)
    }

    /// What should have happened.
    pub fn should(&self) -> &[Row] {
        let section = self.sections.iter().find(|section| section.title == should::TITLE);
        section.map_or(&[], |section| &section.rows)
    }
}

/// Tells the evidence in the zone of the service.
struct Teller<'a> {
    evidence: &'a Evidence<'a>,
    zone: Zone,
}

impl Teller<'_> {
    fn time(&self, t: Instant) -> String {
        local(&self.zone, t)
    }

    fn source(&self, place: Option<&Place>) -> Option<Source> {
        let place = place?;
        let line = self.evidence.lines.get(&(place.file, place.offset));
        Some(Source {
            file: place.path.to_string(),
            offset: place.offset,
            gone: line == Some(&Line::Gone),
            line: match line {
                Some(Line::Same(text)) => Some(text.clone()),
                _ => None,
            },
        })
    }
}

/// A row of a label and a text.
fn row(label: impl Into<String>, text: impl Into<String>) -> Row {
    Row { label: label.into(), text: text.into(), ..Row::default() }
}

impl Row {
    fn at(self, at: Instant) -> Row {
        Row { at: Some(rfc3339(at)), ..self }
    }
}
