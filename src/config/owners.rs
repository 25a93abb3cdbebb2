//! Whose lines a source has: one partner, or several that a field of its lines tells apart.

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::{Location, Spanned};

use crate::calendar::Zone;
use crate::config::check::Check;
use crate::config::problem::Fault;
use crate::config::written;
use crate::config::yaml::Text;
use crate::format::{KnownKeys, Member, Partners};
use crate::policy::Partner;

/// Found once for all sources: a large file has as many partners as sources.
pub(super) struct Known<'p> {
    by_name: HashMap<&'p str, &'p Partner>,
    /// In the order of the file.
    names: Vec<&'p str>,
}

impl<'p> Known<'p> {
    pub fn new(partners: &'p [Partner]) -> Known<'p> {
        Known {
            by_name: partners.iter().map(|partner| (&*partner.name, partner)).collect(),
            names: partners.iter().map(|partner| &*partner.name).collect(),
        }
    }
}

impl Check<'_> {
    /// `partner`, or the partners of `partners`, each once.
    pub(super) fn owners<'p>(
        &mut self,
        at: Location,
        written: &written::Source,
        known: &Known<'p>,
    ) -> Option<Vec<&'p Partner>> {
        let Some(several) = written.partners.as_ref() else {
            let partner = self.required(at, "partner", &written.partner)?;
            return Some(vec![self.known_partner(partner, known)?]);
        };
        if let Some(partner) = written.partner.as_ref() {
            self.error(partner.defined, "partner and partners in one source: one of them");
            return None;
        }
        self.required(several.defined, "field", &several.value.field);
        let values = self.required(several.defined, "values", &several.value.values)?;
        if values.is_empty() {
            let fault = Fault::new("partners without values: no line would be anybody's");
            self.error(several.defined, fault.accepted("values: { THEIR NAME: PARTNER }"));
            return None;
        }
        let mut owners: Vec<&Partner> = Vec::new();
        let mut is_whole = true;
        for (_, name) in values.iter() {
            match self.known_partner(name, known) {
                Some(partner) if owners.iter().any(|own| own.name == partner.name) => {}
                Some(partner) => owners.push(partner),
                None => is_whole = false,
            }
        }
        is_whole.then_some(owners)
    }

    /// How lines tell whose they are. `zone` is that of the source, if it names one.
    pub(super) fn told_partners(
        &mut self,
        written: &Spanned<written::Partners>,
        owners: &[&Partner],
        zone: Option<&Zone>,
    ) -> Option<Partners> {
        let key = self.text(written.value.field.as_ref()?)?.to_owned();
        let member = |partner: &&Partner| Member {
            partner: Arc::clone(&partner.name),
            zone: zone.unwrap_or(&partner.zone).clone(),
            clock_tolerance: partner.clock_tolerance,
        };
        let each = owners.iter().map(member).collect();
        let (mut words, mut patterns) = (HashMap::new(), Vec::new());
        for (theirs, name) in written.value.values.as_ref()?.iter() {
            let regex = self.value_pattern(theirs);
            let Some(name) = owners.iter().find(|own| *own.name == *name.value) else { continue };
            patterns.extend(regex.map(|regex| (regex, Arc::clone(&name.name))));
            words.insert(theirs.value.trim().to_owned(), Arc::clone(&name.name));
        }
        Some(Partners { key, each, words, patterns })
    }

    /// The key that tells whose a line is has to be one that lines can have.
    pub(super) fn partner_key(&mut self, written: &written::Source, known: Option<&KnownKeys>) {
        if let Some(key) = written.partners.as_ref().and_then(|it| it.value.field.as_ref()) {
            self.known_key(key, known);
        }
    }

    fn known_partner<'p>(&mut self, text: &Text, known: &Known<'p>) -> Option<&'p Partner> {
        let found = known.by_name.get(text.value.as_str()).copied();
        // Without any partner that is what has been told.
        if found.is_none() && !known.names.is_empty() {
            self.unknown(text, "partner", &known.names);
        }
        found
    }
}

/// The names of partners that a source has in its place for them.
pub(super) fn named(source: &written::Source) -> impl Iterator<Item = &str> {
    let several = source.partners.as_ref().and_then(|it| it.value.values.as_ref());
    let several = several.map_or(&[] as &[_], |table| table).iter().map(|(_, name)| name);
    source.partner.iter().chain(several).map(|name| name.value.as_str())
}

/// The zone that all of them have.
pub(super) fn common_zone(owners: &[&Partner]) -> Option<Zone> {
    let zone = &owners.first()?.zone;
    owners.iter().all(|own| own.zone.name() == zone.name()).then(|| zone.clone())
}
