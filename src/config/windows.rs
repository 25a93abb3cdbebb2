//! Windows and freezes in every form in which they may be written.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use regex::RegexBuilder;
use serde_saphyr::{Location, Spanned};

use crate::calendar::{Calendar, Recurring, Zone};
use crate::config::calendars::{Owner, civil_time};
use crate::config::check::Check;
use crate::config::files::Asked;
use crate::config::problem::Fault;
use crate::config::scalars::Zero;
use crate::config::written;
use crate::config::yaml::{Given, OneOrMany, Text, WordOr};
use crate::policy::Freeze;

const WINDOW_FORMS: &str = "opening_hours such as \"Mo-Su 22:00-05:00\", { rrule, start, duration }, { cron, duration }, { ics }, or a list of such";
const FREEZE_FORMS: &str = "{ name, from, to }, opening_hours such as \"Dec 20-31\", { rrule, start, duration }, { cron, duration }, { ics }, or a list of such";
const KINDS: &str = "one of hours, rrule, cron, ics";
/// A compiled pattern of summaries may take this many bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What a calendar is for: that decides what holds while nobody knows what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// Unknown: as if there were no own holidays.
    Hours,
    /// Unknown: no window. Tentative events are none.
    Window,
    /// Unknown: nothing may run. Tentative events count.
    Freeze,
}

/// The keys of a calendar that is written as a mapping.
pub struct Form<'w> {
    hours: &'w Given<Text>,
    rrule: &'w Given<Text>,
    cron: &'w Given<Text>,
    ics: &'w Given<Text>,
    start: &'w Given<Text>,
    duration: &'w Given<Text>,
    timezone: &'w Given<Text>,
    add: &'w Given<Spanned<Vec<Text>>>,
    remove: &'w Given<Spanned<Vec<Text>>>,
    summary: &'w Given<Text>,
    may_be_empty: &'w Given<Spanned<bool>>,
}

/// Both mappings have these keys.
macro_rules! form {
    ($written:ty) => {
        impl $written {
            fn form(&self) -> Form<'_> {
                Form {
                    hours: &self.hours,
                    rrule: &self.rrule,
                    cron: &self.cron,
                    ics: &self.ics,
                    start: &self.start,
                    duration: &self.duration,
                    timezone: &self.timezone,
                    add: &self.add,
                    remove: &self.remove,
                    summary: &self.summary,
                    may_be_empty: &self.may_be_empty,
                }
            }
        }
    };
}

form!(written::Window);
form!(written::Freeze);

impl<'w> Form<'w> {
    /// Which calendar it is: each of these keys makes one.
    fn kinds(&self) -> Vec<(&'static str, &'w Text)> {
        let kinds =
            [("hours", self.hours), ("rrule", self.rrule), ("cron", self.cron), ("ics", self.ics)];
        kinds.into_iter().filter_map(|(name, given)| Some((name, given.as_ref()?))).collect()
    }

    /// The other keys that stand there, with their places.
    fn others(&self) -> Vec<(&'static str, Location)> {
        let text = |given: &Given<Text>| given.as_ref().map(|text| text.defined);
        let list = |given: &Given<Spanned<Vec<Text>>>| given.as_ref().map(|list| list.defined);
        let others = [
            ("start", text(self.start)),
            ("duration", text(self.duration)),
            ("timezone", text(self.timezone)),
            ("add", list(self.add)),
            ("remove", list(self.remove)),
            ("summary", text(self.summary)),
            ("may_be_empty", self.may_be_empty.as_ref().map(|given| given.defined)),
        ];
        others.into_iter().filter_map(|(name, at)| Some((name, at?))).collect()
    }
}

impl Check<'_> {
    /// One calendar or the union of several; `None` if there is none or one of them is wrong.
    pub fn windows(
        &mut self,
        given: &Given<Spanned<OneOrMany<written::Window>>>,
        owner: &Owner,
    ) -> Option<Arc<Calendar>> {
        let written = given.as_ref()?;
        let Some(items) = written.value.items(written) else {
            self.wrong_form(written.defined, WINDOW_FORMS);
            return None;
        };
        self.not_empty(written.defined, items.is_empty());
        let read: Vec<_> =
            items.into_iter().map(|(at, item)| self.window(at, item, owner)).collect();
        let all = read.into_iter().collect::<Option<Vec<_>>>()?;
        match all.as_slice() {
            [] => None,
            [one] => Some(Arc::clone(one)),
            _ => Some(Arc::new(Calendar::union(all))),
        }
    }

    fn window(
        &mut self,
        at: (Location, Location),
        item: &WordOr<written::Window>,
        owner: &Owner,
    ) -> Option<Arc<Calendar>> {
        match item {
            WordOr::Word(text) => {
                let text = Spanned::new(text.clone(), at.0, at.1);
                self.opening_hours(&text, owner, Use::Window)
            }
            WordOr::More(window) => self.calendar(at.1, &window.form(), owner, Use::Window),
            WordOr::Neither => {
                self.wrong_form(at.1, WINDOW_FORMS);
                None
            }
        }
    }

    /// The freezes of one owner.
    pub fn freezes(
        &mut self,
        given: &Given<Spanned<OneOrMany<written::Freeze>>>,
        owner: &Owner,
    ) -> Vec<Freeze> {
        let Some(written) = given.as_ref() else { return Vec::new() };
        let Some(items) = written.value.items(written) else {
            self.wrong_form(written.defined, FREEZE_FORMS);
            return Vec::new();
        };
        self.not_empty(written.defined, items.is_empty());
        items.into_iter().filter_map(|(at, item)| self.freeze(at, item, owner)).collect()
    }

    fn freeze(
        &mut self,
        at: (Location, Location),
        item: &WordOr<written::Freeze>,
        owner: &Owner,
    ) -> Option<Freeze> {
        match item {
            WordOr::Word(text) => {
                let text = Spanned::new(text.clone(), at.0, at.1);
                let calendar = self.opening_hours(&text, owner, Use::Freeze)?;
                Some(Freeze { name: text.value.trim().into(), calendar })
            }
            WordOr::More(freeze) => {
                let form = freeze.form();
                let kinds = form.kinds();
                if freeze.from.is_some() || freeze.to.is_some() || kinds.is_empty() {
                    return self.span_freeze(at.1, freeze, owner);
                }
                let name = freeze.name.as_ref().map(|name| self.name(name));
                let calendar = self.calendar(at.1, &form, owner, Use::Freeze)?;
                let called = kinds.first().map(|(_, text)| text.value.trim());
                Some(Freeze { name: name.or_else(|| called.map(Arc::from))?, calendar })
            }
            WordOr::Neither => {
                self.wrong_form(at.1, FREEZE_FORMS);
                None
            }
        }
    }

    /// `{ name, from, to }`, which has none of the other keys.
    fn span_freeze(
        &mut self,
        at: Location,
        freeze: &written::Freeze,
        owner: &Owner,
    ) -> Option<Freeze> {
        let form = freeze.form();
        let kinds = form.kinds().into_iter().map(|(key, text)| (key, text.defined));
        for (key, at) in kinds.chain(form.others()) {
            let fault = Fault::new(format!("{key} beside from and to")).accepted("name, from, to");
            self.error(at, fault);
        }
        self.one_span(at, freeze, &owner.zone)
    }

    /// A calendar written as a mapping.
    fn calendar(
        &mut self,
        at: Location,
        form: &Form<'_>,
        owner: &Owner,
        used: Use,
    ) -> Option<Arc<Calendar>> {
        let kinds = form.kinds();
        let (kind, text) = match kinds.as_slice() {
            [one] => *one,
            [] => {
                self.error(at, Fault::new("no calendar in it").accepted(KINDS));
                return None;
            }
            [(first, _), (second, text), ..] => {
                let fault = Fault::new(format!("{second} beside {first}"));
                self.error(text.defined, fault.accepted(KINDS));
                return None;
            }
        };
        let own: &[&str] = match kind {
            "rrule" => &["start", "duration", "timezone", "add", "remove"],
            "cron" => &["duration", "timezone"],
            "ics" => &["summary", "timezone", "may_be_empty"],
            _ => &[],
        };
        for (key, at) in form.others().into_iter().filter(|(key, _)| !own.contains(key)) {
            let fault = Fault::new(format!("{key} beside {kind}"));
            let accepted = if own.is_empty() { "nothing".into() } else { own.join(", ") };
            self.error(at, fault.accepted(format!("beside {kind}: {accepted}")));
        }
        let zone = match form.timezone.is_some() {
            true => Some(self.zone(form.timezone)?),
            false => None,
        };
        match kind {
            "rrule" => self.recurring(at, text, form, zone.as_ref().unwrap_or(&owner.zone)),
            "cron" => self.cron(at, text, form, zone.as_ref().unwrap_or(&owner.zone)),
            "ics" => self.events(text, form, zone.as_ref(), owner, used),
            _ => self.opening_hours(text, owner, used),
        }
    }

    fn recurring(
        &mut self,
        at: Location,
        rule: &Text,
        form: &Form<'_>,
        zone: &Zone,
    ) -> Option<Arc<Calendar>> {
        let start = self.required(at, "start", form.start);
        let start = start.and_then(|text| self.civil(text, zone));
        let length = self.length(at, form);
        let add: Vec<_> = self.list(form.add).iter().map(|text| self.civil(text, zone)).collect();
        let add = add.into_iter().collect::<Option<Vec<_>>>()?;
        let (remove, remove_days) = self.removed(form.remove, zone)?;
        let recurring = Recurring {
            rule: self.text(rule)?,
            start: start?,
            zone,
            length: length?,
            add: &add,
            remove: &remove,
            remove_days: &remove_days,
        };
        match Calendar::recurring(&recurring) {
            Ok(calendar) => Some(Arc::new(calendar)),
            Err(error) => {
                self.error_inside(rule, error.at, error.message);
                None
            }
        }
    }

    /// Starts, or days, on which a rule does not come.
    fn removed(
        &mut self,
        given: &Given<Spanned<Vec<Text>>>,
        zone: &Zone,
    ) -> Option<(Vec<NaiveDateTime>, Vec<NaiveDate>)> {
        let (mut times, mut days) = (vec![], vec![]);
        for text in self.list(given) {
            match text.value.contains([':', 'T']) {
                true => times.push(self.civil(text, zone)?),
                false => days.push(self.date(text)?),
            }
        }
        Some((times, days))
    }

    fn cron(
        &mut self,
        at: Location,
        text: &Text,
        form: &Form<'_>,
        zone: &Zone,
    ) -> Option<Arc<Calendar>> {
        let length = self.length(at, form)?;
        match Calendar::cron(self.text(text)?, length, zone) {
            Ok(calendar) => Some(Arc::new(calendar)),
            Err(error) => {
                self.error_inside(text, error.at, error.message);
                None
            }
        }
    }

    fn length(&mut self, at: Location, form: &Form<'_>) -> Option<TimeDelta> {
        self.required(at, "duration", form.duration)?;
        self.duration(form.duration, Zero::Senseless)
    }

    /// What the clocks of `zone` show: as written, or at the instant that is written with an offset.
    fn civil(&mut self, text: &Text, zone: &Zone) -> Option<NaiveDateTime> {
        let instant = self.instant(text, zone, crate::calendar::Edge::Earlier)?;
        Some(civil_time(&text.value).unwrap_or_else(|| zone.civil(instant)))
    }

    fn events(
        &mut self,
        file: &Text,
        form: &Form<'_>,
        zone: Option<&Zone>,
        owner: &Owner,
        used: Use,
    ) -> Option<Arc<Calendar>> {
        let pattern = match form.summary.as_ref() {
            None => None,
            Some(text) => {
                let limits = |builder: &mut RegexBuilder| {
                    builder.size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX).build()
                };
                match limits(&mut RegexBuilder::new(self.text(text)?)) {
                    Ok(pattern) => Some(pattern),
                    Err(error) => {
                        let last = error.to_string();
                        let last =
                            last.lines().last().unwrap_or_default().trim_start_matches("error: ");
                        self.error(
                            text.defined,
                            format!("{:?} is not a pattern: {last}", text.value),
                        );
                        return None;
                    }
                }
            }
        };
        let may_be_empty = form.may_be_empty.as_ref().is_some_and(|given| given.value);
        let asked = Asked { pattern: pattern.as_ref(), zone, may_be_empty, used };
        self.events_of(file, &asked, owner)
    }
}
