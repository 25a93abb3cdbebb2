//! The forms of a source's lines: `pattern`, `patterns`, `continuation`, and what they say without writing it.

use std::collections::HashMap;

use regex::bytes::Regex;
use serde_saphyr::{Location, Spanned};

use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::written;
use crate::config::yaml::{Table, Text, WordOr};
use crate::format::spec::{CONSTANTS, DEFAULTS};
use crate::format::{DOCUMENT_PRESETS, Field, PRESETS, Pattern, Preset, read_duration};

/// The patterns that one source may have.
pub const PATTERNS_MAX: usize = 100;

/// How a pattern comes to its event.
const EVENT_FORMS: &str = "a group (?P<event>...) (or status, of a change), fields: { event: GROUP }, or { regex: PATTERN, event: started }";

impl Check<'_> {
    /// The preset that a source names.
    pub fn preset(&mut self, written: &written::Source) -> Option<&'static Preset> {
        let text = written.preset.as_ref()?;
        let found = Preset::find(&text.value);
        if found.is_none() {
            let of_documents = DOCUMENT_PRESETS.iter().map(|preset| preset.name);
            let names = PRESETS.iter().map(|preset| preset.name).chain(of_documents);
            let names: Vec<&str> = names.collect();
            self.unknown(text, "preset", &names);
        }
        found
    }

    /// `pattern` or `patterns`; `None` if neither is there, or what is there is wrong.
    pub fn forms(&mut self, written: &written::Source) -> Option<Vec<Pattern>> {
        match (written.pattern.as_ref(), written.patterns.as_ref()) {
            (None, None) => None,
            (Some(one), None) => Some(vec![Pattern::plain(self.pattern(one)?)]),
            (None, Some(many)) => {
                self.not_empty(many.defined, many.value.is_empty());
                if PATTERNS_MAX < many.value.len() {
                    let fault = Fault::new(format!("{} patterns", many.value.len()));
                    self.error(many.defined, fault.accepted(format!("at most {PATTERNS_MAX}")));
                    return None;
                }
                let forms: Vec<_> = many.value.iter().map(|entry| self.form(entry)).collect();
                forms.into_iter().collect()
            }
            (Some(_), Some(many)) => {
                self.error(many.defined, "pattern and patterns in one source: one of them");
                None
            }
        }
    }

    /// Doubts about forms that find no time or no event: of a partner's lines none would ever be a run. Only doubts,
    /// because policies on record must stay readable.
    pub fn useful(
        &mut self,
        written: &written::Source,
        forms: &[Pattern],
        fields: Option<&HashMap<Field, String>>,
    ) {
        let many = written.patterns.as_ref().map_or(&[] as &[_], |many| &many.value);
        let places = written.pattern.iter().map(|text| text.defined);
        let places = places.chain(many.iter().map(|entry| entry.defined));
        for (at, form) in places.zip(forms).filter(|(_, form)| !form.ignore) {
            let finds = |field: Field| {
                let group = fields.and_then(|f| f.get(&field)).map_or(field.as_str(), |key| key);
                form.constants.iter().any(|(said, _)| *said == field)
                    || form.regex.capture_names().flatten().any(|name| name == group)
            };
            if !finds(Field::Time) && !finds(Field::End) {
                let fault = Fault::new("pattern finds no time: no line of this form can be read");
                self.warn(at, fault.accepted("a group (?P<time>...), or fields: { time: GROUP }"));
            }
            if !finds(Field::Event) && !finds(Field::Status) {
                let fault = Fault::new("pattern finds no event: lines of this form say nothing");
                self.warn(at, fault.accepted(EVENT_FORMS));
            }
        }
    }

    /// Named groups that are none of our fields and that nothing names: what they find would be lost.
    pub fn known_groups(&mut self, written: &written::Source) {
        let named: Vec<&str> = written.fields.as_ref().map_or(Vec::new(), |table| {
            table.iter().map(|(_, theirs)| theirs.value.as_str()).collect()
        });
        let matching = written.matching.as_ref().and_then(|m| m.value.key.as_ref());
        let partners = written.partners.as_ref().and_then(|it| it.value.field.as_ref());
        let is_known = |name: &str| {
            let is_key = matching.into_iter().chain(partners).any(|key| key.value == name);
            is_key || named.contains(&name) || Field::parse(name).is_some()
        };
        let one = written.pattern.iter().map(|text| (text.defined, text.value.as_str()));
        let message = written.message_format.iter().filter_map(|message| match &message.value {
            WordOr::More(more) => {
                more.regex.as_ref().map(|text| (text.defined, text.value.as_str()))
            }
            WordOr::Word(_) | WordOr::Neither => None,
        });
        let many = written.patterns.as_ref().map_or(&[] as &[_], |many| &many.value);
        let many = many.iter().filter_map(|entry| match &entry.value {
            WordOr::Word(word) => Some((entry.defined, word.as_str())),
            WordOr::More(more) => {
                let ignored = more.ignore.as_ref().is_some_and(|ignore| ignore.value);
                let text = more.regex.as_ref().filter(|_| !ignored)?;
                Some((text.defined, text.value.as_str()))
            }
            WordOr::Neither => None,
        });
        let mut unknown = Vec::new();
        for (at, text) in one.chain(many).chain(message) {
            // One that cannot be compiled has been told.
            let Ok(regex) = crate::format::compile(text) else { continue };
            let names = regex.capture_names().flatten().filter(|name| !is_known(name));
            unknown.extend(names.map(|name| (at, name.to_owned())));
        }
        for (at, name) in unknown {
            let fault = Fault::new(format!(
                "group {name:?} is not one of our fields, and `fields` does not name it"
            ));
            let accepted = format!("{}, a group that fields names, or (?:...)", words());
            self.error(at, fault.accepted(accepted));
        }
    }

    fn form(&mut self, entry: &Spanned<WordOr<written::Pattern>>) -> Option<Pattern> {
        match &entry.value {
            WordOr::Word(word) => {
                let text = Spanned::new(word.clone(), entry.referenced, entry.defined);
                self.pattern(&text).map(Pattern::plain)
            }
            WordOr::Neither => {
                self.wrong_form(entry.defined, "PATTERN or { regex: PATTERN, event: started }");
                None
            }
            WordOr::More(more) => {
                let text = self.required(entry.defined, "regex", &more.regex)?;
                let (constants, says) = self.constants(more);
                let ignore = more.ignore.as_ref().is_some_and(|ignore| ignore.value);
                if ignore && says {
                    let fault = "a pattern whose lines are ignored says nothing of them";
                    self.error(entry.defined, fault);
                    return None;
                }
                let regex = match ignore || says {
                    true => self.regex(text),
                    false => self.pattern(text),
                };
                Some(Pattern { regex: regex?, constants, ignore })
            }
        }
    }

    /// What a pattern says, and whether it says anything, be it right or wrong.
    fn constants(&mut self, more: &written::Pattern) -> (Vec<(Field, String)>, bool) {
        let given = [
            &more.event,
            &more.procedure,
            &more.service,
            &more.run_id,
            &more.trigger,
            &more.phase,
            &more.outcome,
            &more.duration,
            &more.status,
        ];
        let says = given.iter().any(|text| text.is_some());
        let pairs = CONSTANTS.iter().zip(given);
        let constants: Vec<_> = pairs
            .filter_map(|(field, text)| {
                let text = text.as_ref()?;
                let word = match field {
                    Field::Duration if read_duration(&text.value).is_none() => {
                        let fault = Fault::new(format!("{:?} is not a duration", text.value));
                        self.error(
                            text.defined,
                            fault.accepted("such as 0s, 1.5s, 1h25m or 01:25:00"),
                        );
                        return None;
                    }
                    Field::Duration => &text.value,
                    field => self.our_word(*field, text)?,
                };
                Some((*field, word.to_owned()))
            })
            .collect();
        (constants, says)
    }

    /// `defaults`: what a line says of a field that it does not have.
    pub fn defaults(&mut self, table: &Table<Text>) -> HashMap<Field, String> {
        let mut defaults = HashMap::new();
        for (name, text) in table.iter() {
            let field = self.word(name, "default", DEFAULTS, Field::as_str);
            if let (Some(field), Some(word)) = (field, field.and_then(|f| self.our_word(f, text))) {
                defaults.insert(field, word.to_owned());
            }
        }
        defaults
    }

    /// `continuation`, which does not go with a format whose records say themselves where they end.
    pub fn continuation(&mut self, text: &Text, format: Option<&str>) -> Option<Regex> {
        if format == Some("csv") {
            self.misplaced("continuation", "csv", text.defined, "any other format");
            return None;
        }
        let regex = self.regex(text)?;
        if regex.is_match(b"") {
            let fault =
                Fault::new("continuation matches an empty line: nearly every line would go on");
            self.error(text.defined, fault.accepted("a pattern such as ^\\t"));
            return None;
        }
        Some(regex)
    }

    /// A key that does not go with the format.
    pub fn misplaced(&mut self, key: &str, format: &str, at: Location, owners: &str) {
        let fault = Fault::new(format!("{key:?} does not belong to format {format}"));
        self.error(at, fault.accepted(format!("{key:?} with {owners}")));
    }
}

/// Our fields that stand in lines, for messages.
fn words() -> String {
    let all = Field::ALL.iter().filter(|field| !field.is_of_documents());
    all.map(|field| field.as_str()).collect::<Vec<_>>().join(", ")
}
