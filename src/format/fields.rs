//! Our fields in a line that has been taken apart: where they stand, and what their texts mean.

use std::sync::Arc;

use chrono::TimeDelta;

use super::duration::{FORMS, duration};
use super::json::TEXTS_MAX;
use super::reading::{Reason, Rejection, cut, quote};
use super::scan::{KEYS_MAX, Keys, Value};
use super::spec::{Field, Format, Spec};
use super::stamp::number::{BILLION, billionths};
use super::stamp::{AHEAD, PLANNED_AHEAD, STAMP_FORM, Stamp, StampError, Stamps, TimeFormat};
use super::syslog;
use super::whose::{Member, Partners};
use crate::calendar::Zone;
use crate::time::{DURATION_FORM, Instant};

/// The longest name (of a procedure, a service, a run, a change) or remark in a line, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;

fn too_long(field: Field, name: &str, at: usize) -> Rejection {
    let (has, quoted) = (name.len(), quote(name));
    let detail = format!("{field} {quoted} has {has} bytes, accepted are {NAME_BYTES_MAX}");
    Rejection::new(Reason::BadValue, detail).at(at)
}

/// Which keys are wanted and what stands in their slots.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) keys: Keys,
    /// By the place of the field in [`Field::ALL`]; `None`: it is not looked for.
    slots: Vec<Option<usize>>,
    /// The slot of the `key` of `match`.
    pub(super) match_slot: Option<usize>,
    /// The slot of a syslog header's stamp, where that is the time of the line.
    header_time: Option<usize>,
    /// The slot of the key that tells whose a line is.
    pub(super) partner_slot: Option<usize>,
    clock: Clock,
    /// Those of the partners, where there are several.
    clocks: Vec<Clock>,
}

/// How the stamps of a writer are read.
#[derive(Debug)]
pub(super) struct Clock {
    zone: Zone,
    tolerance: TimeDelta,
    stamps: Stamps,
    /// Of syslog headers.
    header_stamps: Stamps,
}

impl Clock {
    fn new(format: &TimeFormat, zone: &Zone, tolerance: TimeDelta) -> Clock {
        Clock {
            zone: zone.clone(),
            tolerance,
            stamps: Stamps::new(format, zone),
            header_stamps: Stamps::new(&TimeFormat::Auto, zone),
        }
    }
}

impl Mapping {
    pub(super) fn new(spec: &Spec) -> Mapping {
        let mut keys = Keys::new();
        let key_of = |field: &Field| spec.fields.get(field).map_or(field.as_str(), String::as_str);
        let is_wanted = |field: &Field| {
            !field.is_of_documents() || spec.document.is_some() || spec.fields.contains_key(field)
        };
        let slots = Field::ALL.iter().map(|f| is_wanted(f).then(|| keys.add(key_of(f)))).collect();
        let match_key = spec.matching.as_ref().and_then(|m| m.key.as_deref());
        let match_slot = match_key.map(|key| keys.add(key));
        let is_header_time = matches!(spec.format, Format::Syslog)
            && spec.fields.get(&Field::Time).is_none_or(|key| key == syslog::TIMESTAMP);
        let partner_slot = spec.partners.as_ref().map(|partners| keys.add(&partners.key));
        let members = spec.partners.as_ref().map_or(&[] as &[_], |partners| &partners.each);
        let own =
            |member: &Member| Clock::new(&spec.time_format, &member.zone, member.clock_tolerance);
        Mapping {
            header_time: is_header_time.then(|| keys.add(syslog::TIMESTAMP)),
            keys,
            slots,
            match_slot,
            partner_slot,
            clock: Clock::new(&spec.time_format, &spec.zone, spec.clock_tolerance),
            clocks: members.iter().map(own).collect(),
        }
    }

    pub(super) fn slot(&self, field: Field) -> Option<usize> {
        self.slots.get(field as usize).copied().flatten()
    }

    /// Which of the partners wrote a line, by its place among them, if the line tells.
    pub(super) fn member(&self, partners: Option<&Partners>, slots: &Slots) -> Option<usize> {
        partners?.member(self.partner_slot.and_then(|slot| slots.get(slot)))
    }

    /// The clock of whoever wrote a line; that of the source where the line does not tell.
    pub(super) fn clock(&self, member: Option<usize>) -> &Clock {
        member.and_then(|member| self.clocks.get(member)).unwrap_or(&self.clock)
    }
}

/// The values of one line, by slot.
#[derive(Default)]
pub(super) struct Slots<'l>([Option<Value<'l>>; KEYS_MAX]);

impl<'l> Slots<'l> {
    pub(super) fn put(&mut self, slot: usize, value: Value<'l>) {
        if let Some(place) = self.0.get_mut(slot) {
            *place = Some(value);
        }
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Value<'l>> {
        self.0.get(slot)?.as_ref()
    }

    /// A bit for each slot in which there is something.
    pub(super) fn found(&self) -> u32 {
        let bit = |(slot, value): (usize, &Option<Value>)| u32::from(value.is_some()) << slot;
        self.0.iter().enumerate().map(bit).sum()
    }
}

/// The fields of one line, and what is needed to read its times.
pub(super) struct Fields<'a, 'l> {
    pub(super) spec: &'a Spec,
    pub(super) mapping: &'a Mapping,
    /// Which of the partners wrote the line.
    pub(super) member: Option<usize>,
    pub(super) clock: &'a Clock,
    pub(super) slots: &'a Slots<'l>,
    /// Of reading.
    pub(super) moment: Instant,
    /// The stamp of the last accepted event of the file.
    pub(super) last: Option<Instant>,
}

/// A text of the line and where it stands.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    at: usize,
}

impl Text<'_> {
    /// A rejection that quotes the text: `accepted` completes "is not ...".
    pub(super) fn refuse(&self, reason: Reason, field: Field, accepted: &str) -> Rejection {
        let detail = format!("{field} {} is not {accepted}", quote(self.text));
        Rejection::new(reason, detail).at(self.at)
    }
}

impl Fields<'_, '_> {
    /// Whether the line says anything of a field.
    pub(super) fn has(&self, field: Field) -> bool {
        !matches!(self.text(field), Ok(None))
    }

    /// Whether the record has a place for it, be it empty.
    pub(super) fn is_there(&self, field: Field) -> bool {
        self.mapping.slot(field).is_some_and(|slot| self.slots.get(slot).is_some())
    }

    /// Whose the line is, where the source has several partners.
    pub(super) fn partner(&self) -> Result<Option<Arc<str>>, Rejection> {
        let Some(partners) = &self.spec.partners else { return Ok(None) };
        let member = self.member.and_then(|member| partners.each.get(member));
        let value = || self.mapping.partner_slot.and_then(|slot| self.slots.get(slot));
        let member = member.ok_or_else(|| partners.refuse(value()))?;
        Ok(Some(member.partner.clone()))
    }

    /// The text of a field without blanks around it; an empty or null one is missing. An array or object is
    /// refused where the configuration names the field: under our own name it may be something else.
    pub(super) fn text(&self, field: Field) -> Result<Option<Text<'_>>, Rejection> {
        let default = || {
            let text = self.spec.defaults.get(&field)?;
            Some(Text { text, at: 0 })
        };
        match self.mapping.slot(field).and_then(|slot| self.slots.get(slot)) {
            None | Some(Value::Null) => Ok(default()),
            Some(Value::Text { text, at }) => Ok(trimmed(text, *at).or_else(default)),
            Some(Value::List { at, .. } | Value::Unfit { at }) => {
                if self.spec.fields.contains_key(&field) {
                    let detail = format!(
                        "{field} is an array or an object, expected a text (for service also an \
                         array of at most {TEXTS_MAX} texts)"
                    );
                    return Err(Rejection::new(Reason::BadValue, detail).at(*at));
                }
                Ok(default())
            }
        }
    }

    /// Like [`Self::text`], translated by `values`. A name of more than [`NAME_BYTES_MAX`] is refused: it would
    /// stay in the ledger for ever, and what is cut is another name.
    pub(super) fn name(&self, field: Field) -> Result<Option<Box<str>>, Rejection> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let name = self.translated(field, text.text);
        match NAME_BYTES_MAX < name.len() {
            true => Err(too_long(field, name, text.at)),
            false => Ok(Some(name.into())),
        }
    }

    /// Like [`Self::text`], translated by `values`, for people to read: cut to [`NAME_BYTES_MAX`] with a marker.
    pub(super) fn remark(&self, field: Field) -> Result<Option<Box<str>>, Rejection> {
        let text = self.text(field)?;
        Ok(text.map(|text| cut(self.translated(field, text.text), NAME_BYTES_MAX).into()))
    }

    /// The run id, with the prefix of the source.
    pub(super) fn run_id(&self) -> Result<Option<Box<str>>, Rejection> {
        let prefix = &self.spec.run_id_prefix;
        Ok(self.name(Field::RunId)?.map(|id| match prefix.is_empty() {
            true => id,
            false => format!("{prefix}{id}").into(),
        }))
    }

    /// The names in a field that may hold an array: in their order, without repetition. An array without a name
    /// in it is as if it were missing.
    pub(super) fn names(&self, field: Field) -> Result<Vec<Box<str>>, Rejection> {
        let Some(Value::List { texts, at }) =
            self.mapping.slot(field).and_then(|slot| self.slots.get(slot))
        else {
            return Ok(self.name(field)?.into_iter().collect());
        };
        let mut names: Vec<Box<str>> = Vec::new();
        for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            let name = self.translated(field, text);
            if NAME_BYTES_MAX < name.len() {
                return Err(too_long(field, name, *at));
            }
            if !names.iter().any(|known| **known == *name) {
                names.push(name.into());
            }
        }
        if names.is_empty()
            && let Some(default) = self.spec.defaults.get(&field)
        {
            names.push(self.translated(field, default).into());
        }
        Ok(names)
    }

    /// One of our words: theirs translated by `values`, ours in any case. The error is the text as found.
    pub(super) fn word<T: Copy>(
        &self,
        field: Field,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Result<Option<Result<T, Text<'_>>>, Rejection> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let ours = self.translated(field, text.text);
        let word = all.iter().find(|word| as_str(**word).eq_ignore_ascii_case(ours));
        Ok(Some(word.copied().ok_or(text)))
    }

    /// The words that are accepted for a field, for error messages.
    pub(super) fn accepted(
        &self,
        field: Field,
        ours: impl Iterator<Item = &'static str>,
    ) -> String {
        let mut words: Vec<&str> = ours.collect();
        if let Some(theirs) = self.spec.values.get(&field) {
            let mut theirs: Vec<&str> = theirs.keys().map(String::as_str).collect();
            theirs.sort_unstable();
            words.extend(theirs);
        }
        format!("one of {}", words.join(", "))
    }

    fn translated<'t>(&'t self, field: Field, theirs: &'t str) -> &'t str {
        let ours = self.spec.values.get(&field).and_then(|values| values.get(theirs));
        let patterns = || {
            let own = self.spec.value_patterns.iter().filter(|(of, ..)| *of == field);
            own.into_iter()
                .find(|(_, regex, _)| regex.is_match(theirs.as_bytes()))
                .map(|(.., ours)| ours)
        };
        ours.or_else(patterns).map_or(theirs, String::as_str)
    }

    /// The stamp of the line; of a syslog line the header's where `time` is not mapped.
    pub(super) fn time(&self) -> Result<Option<Stamp>, Rejection> {
        let header = self.mapping.header_time.and_then(|slot| self.slots.get(slot));
        let bound = later(self.moment, AHEAD);
        if let Some(Value::Text { text, at }) = header
            && let Some(text) = trimmed(text, *at)
        {
            let read = self.clock.header_stamps.read(text.text, bound);
            return read.map(Some).map_err(|error| self.refused(error, Field::Time, &text));
        }
        let Some(text) = self.text(Field::Time)? else { return Ok(None) };
        let read = self.clock.stamps.read(text.text, bound);
        read.map(Some).map_err(|error| self.refused(error, Field::Time, &text))
    }

    /// Any other time of a line that is stamped `at`: without a year it is at most a day after that.
    pub(super) fn beside(&self, field: Field, at: Instant) -> Result<Option<Stamp>, Rejection> {
        self.up_to(field, later(at, AHEAD))
    }

    /// A planned time of a notice that is stamped `at`: without a year it takes the nearest.
    pub(super) fn planned(&self, field: Field, at: Instant) -> Result<Option<Instant>, Rejection> {
        Ok(self.up_to(field, later(at, PLANNED_AHEAD))?.map(Stamp::earlier))
    }

    fn up_to(&self, field: Field, bound: Instant) -> Result<Option<Stamp>, Rejection> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let read = self.clock.stamps.read_beside(text.text, bound);
        read.map(Some).map_err(|error| self.refused(error, field, &text))
    }

    fn refused(&self, error: StampError, field: Field, text: &Text) -> Rejection {
        match error {
            StampError::Range => {
                let accepted = match billionths(text.text) {
                    Some(_) => "an epoch time (s, ms, us or ns) between the years 2000 and 2100",
                    None => "a time within the years 1 to 9999 (an epoch time: 2000 to 2100)",
                };
                text.refuse(Reason::TimeOutOfRange, field, accepted)
            }
            StampError::Zone => {
                let zone = self.clock.zone.name();
                let accepted = format!(
                    "a time whose zone is clear: an offset, a name of the IANA database (Europe/Paris), an \
                     abbreviation that {zone} (the zone of the source) has then, or one with a single meaning; \
                     an offset and a name must agree"
                );
                text.refuse(Reason::BadTime, field, &accepted)
            }
            StampError::Form => {
                let accepted = match &self.spec.time_format {
                    TimeFormat::Auto => STAMP_FORM.to_owned(),
                    TimeFormat::Pattern(pattern) => format!("of the form {}", quote(pattern)),
                    other => format!("a time stamp of the form {other:?}"),
                };
                text.refuse(Reason::BadTime, field, &accepted)
            }
        }
    }

    /// The stamp of the line itself, and the other reading where two are possible.
    pub(super) fn of_line(&self, stamp: Stamp) -> (Instant, Option<Instant>) {
        stamp.of_line(self.last, self.clock.tolerance)
    }

    /// A duration. Where the clock was set back, or two clocks differ, some writers have one below zero.
    pub(super) fn duration(&self) -> Result<Option<TimeDelta>, Rejection> {
        let Some(text) = self.text(Field::Duration)? else { return Ok(None) };
        let told = self.translated(Field::Duration, text.text);
        let (size, is_negative) = match told.strip_prefix(['-', '\u{2212}']) {
            Some(size) => (size, true),
            None => (told, false),
        };
        match duration(size) {
            Some(duration) if is_negative => Ok(Some(-duration)),
            Some(duration) => Ok(Some(duration)),
            None => {
                let accepted = format!("{FORMS}, or {DURATION_FORM}");
                Err(text.refuse(Reason::BadDuration, Field::Duration, &accepted))
            }
        }
    }

    /// A whole number; `3.0`, as some writers have it, is one.
    pub(super) fn revision(&self) -> Result<Option<u64>, Rejection> {
        let Some(text) = self.text(Field::Revision)? else { return Ok(None) };
        let number = billionths(self.translated(Field::Revision, text.text));
        let number = number.filter(|number| number % BILLION == 0);
        match number.and_then(|number| u64::try_from(number / BILLION).ok()) {
            Some(revision) => Ok(Some(revision)),
            None => Err(text.refuse(Reason::BadRevision, Field::Revision, "a whole number from 0")),
        }
    }
}

fn later(t: Instant, by: TimeDelta) -> Instant {
    t.checked_add_signed(by).unwrap_or(t)
}

fn trimmed<'a>(text: &'a str, at: usize) -> Option<Text<'a>> {
    let from_start = text.trim_start();
    let at = at + (text.len() - from_start.len());
    let text = from_start.trim_end();
    (!text.is_empty()).then_some(Text { text, at })
}
