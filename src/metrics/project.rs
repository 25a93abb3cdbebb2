//! One scrape: every family in turn, then the text.

use crate::metrics::page::Page;
use crate::metrics::rows::rows;
use crate::metrics::{View, agreement, calendars, changes, own, runs, sources};

/// The answer to one scrape, in text format 0.0.4; the same for the same view.
///
/// Costs by series, open runs and upcoming changes, not by what has happened so far.
///
/// # Errors
/// Only if the encoder of the `prometheus` crate refuses a family.
pub fn project(view: &View) -> prometheus::Result<String> {
    let mut page = Page::default();
    let rows = rows(view);
    runs::counted(&mut page, &rows);
    runs::time_spent(&mut page, view, &rows);
    runs::open(&mut page, view, &rows);
    runs::unacknowledged(&mut page, view, &rows);
    runs::unapproved(&mut page, view, &rows);
    runs::by_partner(&mut page, view);
    agreement::procedures(&mut page, &rows);
    calendars::windows(&mut page, view, &rows);
    calendars::services(&mut page, view);
    changes::upcoming(&mut page, view, &rows);
    sources::all(&mut page, view);
    own::all(&mut page, view);
    page.encode()
}
