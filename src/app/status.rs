//! The status page and the case of a run, gathered from what is published and the ledger on disk.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::app::dossier::Dossier;
use crate::app::find_run::find_run;
use crate::app::shared::Shared;
use crate::app::watch::{event_silence, silence};
use crate::clock;
use crate::metrics::SourceView;
use crate::report::case::CaseFile;
use crate::report::status::{self, RUNS_MAX, Source, View};
use crate::run::Run;
use crate::store::{Reader, RunFilter, StoreError};
use crate::time::Instant;

/// A ledger with more entries is not gone through from its beginning while a browser waits: the case is then
/// without what was asked before and what would have been answered. `offhours explain` tells everything.
const ENTRIES_MAX: u64 = 500_000;

/// The page at `/`.
///
/// # Errors
/// The ledger cannot be read.
pub fn page(shared: &Shared) -> Result<String, StoreError> {
    let own = shared.own();
    if !shared.is_ready() {
        return Ok(status::catching_up(&own.version));
    }
    let now = clock::now();
    let since = Some(status::since(now));
    let filter = RunFilter { since, limit: Some(RUNS_MAX), ..RunFilter::default() };
    let found = Reader::open(&shared.storage)?.runs(&filter)?;
    let runs: Vec<Arc<Run>> = found.into_iter().map(|(run, _, _)| Arc::new(run)).collect();
    let sources: Vec<Source> = shared.sources().iter().map(|s| source_of(s, now)).collect();
    let config = shared.config();
    let ledger = shared.ledger();
    let view = View {
        ledger: &ledger,
        policy: &config.policy,
        now,
        runs: &runs,
        sources: &sources,
        version: &own.version,
        stood: shared.pulse().stands().and_then(|stood| TimeDelta::from_std(stood).ok()),
    };
    Ok(status::page(&view))
}

fn source_of(view: &SourceView, now: Instant) -> Source {
    let count = |name: &str, label: Option<&str>| {
        let counted = view
            .tallies
            .iter()
            .filter(|((n, l), _)| n == name && label.is_none_or(|label| l == label));
        counted.map(|(_, n)| *n).sum()
    };
    Source {
        name: view.name.clone(),
        partners: view.partners.clone(),
        up: view.up,
        misread: view.misread,
        covered: view.covered,
        silent: silence(view, now),
        without_events: event_silence(view, now),
        last_line: view.last_line,
        last_event: view.last_event,
        lag_bytes: view.lag_bytes,
        rejected: count("lines", Some("rejected")),
        losses: count("possible_loss", None),
    }
}

/// The case of a run; `None` if there is no such run.
///
/// # Errors
/// The ledger cannot be read.
pub fn case(shared: &Shared, id: &str) -> Result<Option<CaseFile>, StoreError> {
    let reader = Reader::open(&shared.storage)?;
    let Ok(run) = find_run(&reader, id) else { return Ok(None) };
    let Some((run, business, outside)) = reader.run(run.no)? else { return Ok(None) };
    let config = shared.config();
    let dossier = if shared.own().ledger_entries <= ENTRIES_MAX {
        Dossier::of(&reader, std::slice::from_ref(&run), &config.policy)?.pop().unwrap_or_default()
    } else {
        let mut dossier = Dossier::default();
        dossier.entries = reader.entries_of(run.no)?;
        dossier
    };
    let lines = dossier.lines(&run, &config, &reader.checkpoints()?);
    Ok(Some(dossier.case(&run, (business, outside), &config, &lines)))
}
