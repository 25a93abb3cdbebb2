//! Which of the keys that the configuration names have stood in a record so far: one that never does was perhaps
//! meant otherwise, and what it should have said would be missing without a word.

use std::sync::atomic::{AtomicU32, Ordering};

use super::fields::{Mapping, Slots};
use super::scan::KEYS_MAX;
use super::spec::{Field, Spec};
use crate::event::{Body, Event, Kind};

/// Above the bits of the slots: a line that is no record, and what records there were.
const LINE: u32 = 1 << KEYS_MAX;
const START: u32 = LINE << 1;
const END: u32 = LINE << 2;
const PHASE: u32 = LINE << 3;
const NOTICE: u32 = LINE << 4;
const ANY: u32 = START | END | PHASE | NOTICE;

/// In which records a key of this field is looked for; 0: in none, for it may well never be said.
const fn told_in(field: Field) -> u32 {
    match field {
        Field::Procedure | Field::Service => START | NOTICE,
        Field::Trigger => START,
        Field::RunId => START | END,
        Field::Phase => PHASE,
        Field::Outcome | Field::Duration => END,
        Field::Revision | Field::ChangeType | Field::PlannedStart | Field::PlannedEnd => NOTICE,
        _ => 0,
    }
}

/// What has stood in the records of a source; shared by all files that are read with one reader.
#[derive(Debug)]
pub(super) struct Seen {
    bits: AtomicU32,
    /// The keys that are looked for: field, bit of its slot, key.
    named: Vec<(Field, u32, String)>,
}

impl Seen {
    pub(super) fn new(spec: &Spec, mapping: &Mapping) -> Seen {
        let named = Field::ALL.iter().filter_map(|field| {
            let key = spec.fields.get(field)?;
            Some((*field, 1 << mapping.slot(*field)?, key.clone()))
        });
        Seen { bits: AtomicU32::new(0), named: named.collect() }
    }

    /// A line that was taken apart and is no record.
    pub(super) fn line(&self) {
        self.add(LINE);
    }

    /// A record, and what became of it.
    pub(super) fn record(&self, slots: &Slots, event: Option<&Event>) {
        let family = match event.map(|event| &event.body) {
            None => 0,
            Some(Body::Notice(_)) => NOTICE,
            Some(Body::Run(run)) => match run.kind {
                Kind::Started => START,
                Kind::Phase => PHASE,
                Kind::Finished | Kind::Failed | Kind::Aborted if run.whole.is_some() => START | END,
                Kind::Finished | Kind::Failed | Kind::Aborted => END,
                _ => 0,
            },
        };
        self.add(slots.found() | family);
    }

    fn add(&self, bits: u32) {
        // Nearly every record adds nothing: then nobody else's cache is disturbed.
        if self.bits.load(Ordering::Relaxed) & bits != bits {
            self.bits.fetch_or(bits, Ordering::Relaxed);
        }
    }

    /// The keys that no record has had, each with what it is named for.
    pub(super) fn missing(&self) -> Vec<(Field, &str)> {
        let bits = self.bits.load(Ordering::Relaxed);
        let is_event = |field: Field| matches!(field, Field::Event | Field::Status);
        // Without any record it is the key that would tell records which nobody has.
        let is_looked_for = |field: Field| match bits & ANY {
            0 => is_event(field) && bits & LINE != 0,
            _ => bits & told_in(field) != 0,
        };
        let all =
            self.named.iter().filter(|(field, bit, _)| bits & bit == 0 && is_looked_for(*field));
        all.map(|(field, _, key)| (*field, key.as_str())).collect()
    }
}
