//! What in a configuration can be used and is probably not meant.

use std::collections::{BTreeMap, HashMap};

use chrono::SubsecRound;

use super::samples;
use crate::calendar::{Calendar, Zone};
use crate::cli::table::clean;
use crate::config::{Config, Source};
use crate::format::{Field, Format, KnownKeys, Spec};
use crate::policy::{LOOK_AHEAD, Partner, Policy, Procedure, Terms};
use crate::tail::Pattern;
use crate::time::{Instant, Span};
use crate::verdict::civil;

/// Two calendars by where they are: many procedures share them.
type Pair = (*const Calendar, *const Calendar);

/// A sentence for each doubt.
pub(super) fn doubts(config: &Config, now: Instant) -> Vec<String> {
    let mut all = Vec::new();
    for partner in &config.policy.partners {
        all.extend(overlaps(&config.policy, partner, now));
        all.extend(unnamed(config, partner));
    }
    for source in &config.sources {
        all.extend(files(source));
        all.extend(match_key(source));
        all.extend(samples::doubts(source, now));
    }
    all
}

/// Windows that are agreed for times at which nothing may start.
fn overlaps(policy: &Policy, partner: &Partner, now: Instant) -> Vec<String> {
    let now = now.trunc_subsecs(0);
    let Some(ahead) = Span::new(now, now + LOOK_AHEAD) else { return Vec::new() };
    let mut asked: HashMap<Pair, Option<Span>> = HashMap::new();
    // What it is that they reach into -> the first time, and whose windows they are.
    let mut found: BTreeMap<String, (Span, &Zone, Vec<&str>)> = BTreeMap::new();
    for procedure in &partner.procedures {
        for terms in procedure.services.iter().filter_map(|s| procedure.terms.get(&Some(s.clone())))
        {
            for (what, first) in reached(policy, terms, ahead, &mut asked) {
                let entry = found.entry(what).or_insert((first, &terms.zone, Vec::new()));
                entry.0 = entry.0.min(first);
                entry.2.push(&procedure.name);
            }
        }
    }
    let sentence = |(what, (first, zone, names)): (String, (Span, &Zone, Vec<&str>))| {
        format!(
            "windows of {} reach into {what}, first {} to {}: no run may start then ({})",
            clean(&partner.name),
            civil(zone, first.start),
            civil(zone, first.end),
            clean(&names.join(", "))
        )
    };
    found.into_iter().map(sentence).collect()
}

/// Business hours and freezes of its service that the windows reach into, each with the first time.
fn reached(
    policy: &Policy,
    terms: &Terms,
    ahead: Span,
    asked: &mut HashMap<Pair, Option<Span>>,
) -> Vec<(String, Span)> {
    let Some(windows) = &terms.windows else { return Vec::new() };
    let service = clean(&terms.service);
    let hours = terms.business_hours.iter().filter(|_| !terms.business_hours_allowed);
    let hours = hours.map(|hours| (format!("the business hours of {service}"), &**hours));
    let own = policy.service(&terms.service).map_or(&[] as &[_], |service| &service.freezes);
    let freezes = own.iter().map(|freeze| {
        (format!("the freeze {} of {service}", clean(&freeze.name)), &*freeze.calendar)
    });
    let mut common = |closed: &Calendar| {
        let pair = (std::ptr::from_ref(&**windows), std::ptr::from_ref(closed));
        *asked.entry(pair).or_insert_with(|| first_common(windows, closed, ahead))
    };
    let first = |(what, closed): (String, &Calendar)| Some((what, common(closed)?));
    hours.chain(freezes).filter_map(first).collect()
}

fn first_common(a: &Calendar, b: &Calendar, range: Span) -> Option<Span> {
    let mut at = range.start;
    while at < range.end {
        let next = |calendar: &Calendar| {
            let around = calendar.span_at(at, range.end);
            around.or_else(|| calendar.next_span(at, range.end))
        };
        let (of_a, of_b) = (next(a)?, next(b)?);
        let both = Span::new(of_a.start.max(of_b.start).max(at), of_a.end.min(of_b.end));
        if both.is_some() {
            return both;
        }
        at = of_a.end.min(of_b.end);
    }
    None
}

fn files(source: &Source) -> Vec<String> {
    let name = clean(&source.name);
    let doubt = |(pattern, written): (&String, &String)| {
        let written = clean(written);
        match Pattern::parse(pattern) {
            Err(_) if pattern.split('/').any(|part| part == "..") => Some(format!(
                "files {written} of source {name} leave their folder with \"..\", and cannot be followed so: write the absolute path"
            )),
            Err(error) => {
                Some(format!("files {written} of source {name} cannot be followed: {error}"))
            }
            Ok(pattern) if pattern.newest().is_none() => Some(format!(
                "no file matches {written} of source {name}: until there is one nothing of it is seen"
            )),
            Ok(_) => None,
        }
    };
    source.patterns.iter().zip(&source.files_as_written).filter_map(doubt).collect()
}

/// A key of `match` that no line can have: every line would be ignored.
fn match_key(source: &Source) -> Option<String> {
    let key = source.spec.matching.as_ref()?.key.as_deref()?;
    let known = keys(&source.spec).filter(|known| !known.has(key))?;
    Some(format!(
        "match of source {} looks for the key {:?}, which no line of its format has: every line is ignored; it has {}",
        clean(&source.name),
        clean(key),
        clean(&known.names.join(", "))
    ))
}

fn keys(spec: &Spec) -> Option<KnownKeys<'_>> {
    spec.format.keys(spec.message_format.as_ref())
}

/// Procedures that no line of any source of the partner can name.
fn unnamed(config: &Config, partner: &Partner) -> Vec<String> {
    let own: Vec<&Source> = config.sources.iter().filter(|s| s.is_of(&partner.name)).collect();
    if own.is_empty() || own.iter().any(|source| source.spec.document.is_some()) {
        return Vec::new();
    }
    let doubt = |procedure: &Procedure| {
        let name = &*procedure.name;
        let best = own.iter().map(|source| naming(&source.spec, name)).max()?;
        let (partner, name) = (clean(&partner.name), clean(name));
        match best {
            Naming::Never => Some(format!(
                "no line can name the procedure {name} of {partner}: none of its sources has a value, default or pattern for it"
            )),
            Naming::AsItIs => Some(format!(
                "no value of the sources of {partner} leads to the procedure {name}: only a line that calls it so itself names it"
            )),
            Naming::Surely => None,
        }
    };
    partner.procedures.iter().filter_map(doubt).collect()
}

/// How lines of a source come to name a procedure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    Never,
    /// It has a list of their names, and this one is in nobody's place there.
    AsItIs,
    Surely,
}

fn naming(spec: &Spec, procedure: &str) -> Naming {
    let said = |(field, word): &(Field, String)| *field == Field::Procedure && word == procedure;
    let forms = match &spec.format {
        Format::Regex(forms) | Format::Json { patterns: forms } => forms.as_slice(),
        _ => &[],
    };
    let default = spec.defaults.get(&Field::Procedure).is_some_and(|word| word == procedure);
    if default || forms.iter().flat_map(|form| &form.constants).any(said) {
        return Naming::Surely;
    }
    let key = spec.fields.get(&Field::Procedure).map_or(Field::Procedure.as_str(), String::as_str);
    if keys(spec).is_some_and(|known| !known.has(key)) {
        return Naming::Never;
    }
    let Some(values) = spec.values.get(&Field::Procedure) else { return Naming::Surely };
    if values.values().any(|ours| ours == procedure) {
        return Naming::Surely;
    }
    match values.contains_key(procedure) {
        true => Naming::Never,
        false => Naming::AsItIs,
    }
}
