//! What the calendars say of this moment: windows, business hours, freezes, and when each changes next.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::calendar::Calendar;
use crate::metrics::page::{Page, values};
use crate::metrics::rows::Rows;
use crate::metrics::{View, catalog};
use crate::policy::{LOOK_AHEAD, OTHER, Terms};
use crate::run::Labels;
use crate::time::Instant;

/// How far ahead the next edge is looked for: a year and a few days, so that what comes once a year is found.
const SEARCHED: TimeDelta = TimeDelta::days(370);

/// A calendar at one moment.
#[derive(Clone, Copy)]
struct Moment {
    open: bool,
    /// When `open` changes next; `None`: not within [`SEARCHED`], or unknown.
    change: Option<Instant>,
}

/// The union of some calendars at `now`; `None`: beyond the holiday table of one of them.
fn moment(calendars: &[&Calendar], now: Instant) -> Option<Moment> {
    if !calendars.iter().all(|c| c.covers(now)) {
        return None;
    }
    let horizon = now + SEARCHED;
    let open = calendars.iter().any(|c| c.contains(now));
    let change = match open {
        true => end_of_union(calendars, now, horizon),
        false => calendars.iter().filter_map(|c| c.next_span(now, horizon)).map(|s| s.start).min(),
    };
    let known = |t: &Instant| *t < horizon && calendars.iter().all(|c| c.covers(*t));
    Some(Moment { open, change: change.filter(known) })
}

/// Where spans of different calendars follow on each other, the union ends with the last of them.
fn end_of_union(calendars: &[&Calendar], now: Instant, horizon: Instant) -> Option<Instant> {
    let mut at = now;
    while at < horizon {
        let ends = calendars.iter().filter_map(|c| c.span_at(at, horizon)).map(|s| s.end);
        match ends.max() {
            Some(end) if at < end => at = end,
            _ => break,
        }
    }
    (now < at).then_some(at)
}

/// Windows of each row; asked once for each calendar, however many rows share it.
pub(super) fn windows(page: &mut Page, view: &View, rows: &Rows) {
    let mut asked: HashMap<*const Calendar, Option<Moment>> = HashMap::new();
    for (p, row) in rows {
        let Some(terms) = row.terms else { continue };
        let start = start_of(view, p, terms);
        page.family(&catalog::MAY_START).set_flag(&values(p), start.open);
        page.family(&catalog::MAY_START_CHANGE).set_time(&values(p), start.change);
        let now = match &terms.windows {
            None => Some(Moment { open: true, change: None }),
            Some(windows) => *asked
                .entry(std::ptr::from_ref(windows.as_ref()))
                .or_insert_with(|| moment(&[windows], view.now)),
        };
        let Some(now) = now else { continue };
        page.family(&catalog::WINDOW_OPEN).set_flag(&values(p), now.open);
        page.family(&catalog::WINDOW_CHANGE).set_time(&values(p), now.change);
    }
}

/// Whether a run may start at `now`, and when that changes next. A run that names no service is one of each service
/// of its procedure: it may where all of them may.
fn start_of(view: &View, p: &Labels, terms: &Terms) -> Moment {
    let all = each_service(view, p).unwrap_or_else(|| vec![terms]);
    let open = all.iter().all(|terms| terms.is_open(view.now));
    let change = match open {
        true => all.iter().filter_map(|terms| Some(terms.opening_at(view.now)?.end)).min(),
        false => first_common_opening(&all, view.now),
    };
    let known = |t: &Instant| *t < view.now + LOOK_AHEAD;
    Moment { open, change: change.filter(known) }
}

/// The terms of each service of the procedure, where the row is of runs that name none.
fn each_service<'a>(view: &View<'a>, p: &Labels) -> Option<Vec<&'a Terms>> {
    let procedure = view.policy.partner(&p.partner)?.procedure(&p.procedure)?;
    if *p.service != *OTHER || procedure.services.is_empty() {
        return None;
    }
    let of = |service: &Arc<str>| procedure.terms.get(&Some(service.clone())).map(Arc::as_ref);
    Some(procedure.services.iter().filter_map(of).collect())
}

fn first_common_opening(all: &[&Terms], now: Instant) -> Option<Instant> {
    let mut at = now;
    while at < now + LOOK_AHEAD {
        let starts = all.iter().map(|terms| {
            let opening = terms.next_opening(at, Some(TimeDelta::zero()));
            opening.map(|opening| opening.start.max(at))
        });
        // As late as the last of them; all have to be open still.
        let latest = starts.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        if latest == at || all.iter().all(|terms| terms.is_open(latest)) {
            return Some(latest);
        }
        at = latest;
    }
    None
}

/// Business hours and freezes of each service.
pub(super) fn services(page: &mut Page, view: &View) {
    for service in &view.policy.services {
        let hours: Vec<&Calendar> = service.business_hours.as_deref().into_iter().collect();
        if let Some(now) = moment(&hours, view.now) {
            page.family(&catalog::BUSINESS_HOURS).set_flag(&[&service.name], now.open);
            page.family(&catalog::BUSINESS_HOURS_CHANGE).set_time(&[&service.name], now.change);
        }
        let freezes: Vec<&Calendar> = service.freezes.iter().map(|f| f.calendar.as_ref()).collect();
        if let Some(now) = moment(&freezes, view.now) {
            page.family(&catalog::FREEZE).set_flag(&[&service.name], now.open);
            page.family(&catalog::FREEZE_CHANGE).set_time(&[&service.name], now.change);
        }
    }
}
