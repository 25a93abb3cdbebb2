//! Sources: what was read of each, and whether it could be read.

use crate::metrics::catalog::{self, Metric};
use crate::metrics::page::Page;
use crate::metrics::{SourceView, View};
use crate::time::seconds;

/// What can become of a line.
const LINE_OUTCOMES: &[&str] = &["event", "ignored", "rejected"];

/// Every source.
pub(super) fn all(page: &mut Page, view: &View) {
    let known = view.known;
    for source in view.sources {
        state(page, source);
        page.family(&catalog::SOURCE_BYTES).set_count(&[&source.name], tally(source, "bytes", ""));
        let covered = tally(source, "covered_nanos", "") as f64 / 1e9;
        page.family(&catalog::SOURCE_COVERED).set(&[&source.name], covered);
        for (metric, name, labels) in [
            (&catalog::SOURCE_LINES, "lines", LINE_OUTCOMES),
            (&catalog::SOURCE_REJECTED, "rejected", known.rejected_reasons),
            (&catalog::SOURCE_ROTATIONS, "rotations", known.rotation_kinds),
            (&catalog::SOURCE_READ_ERRORS, "read_errors", known.read_error_kinds),
            (&catalog::SOURCE_POSSIBLE_LOSS, "possible_loss", known.loss_reasons),
        ] {
            by_label(page, source, metric, name, labels);
        }
    }
}

fn state(page: &mut Page, source: &SourceView) {
    let name: &str = &source.name;
    for partner in &source.partners {
        page.family(&catalog::SOURCE_INFO).set(&[name, partner], 1.0);
    }
    page.family(&catalog::SOURCE_UP).set_flag(&[name], source.up);
    page.family(&catalog::SOURCE_LAG).set_count(&[name], source.lag_bytes);
    page.family(&catalog::SOURCE_FILES).set_count(&[name], source.files);
    page.family(&catalog::SOURCE_LAST_LINE).set_time(&[name], source.last_line);
    page.family(&catalog::SOURCE_LAST_EVENT).set_time(&[name], source.last_event);
    if let Some(silence) = source.max_silence {
        page.family(&catalog::SOURCE_MAX_SILENCE).set(&[name], seconds(silence));
    }
    if let Some(silence) = source.max_event_silence {
        page.family(&catalog::SOURCE_MAX_EVENT_SILENCE).set(&[name], seconds(silence));
    }
}

/// Every known label at 0 or above, and whatever else was counted by an earlier version.
fn by_label(
    page: &mut Page,
    source: &SourceView,
    metric: &'static Metric,
    name: &str,
    known: &[&str],
) {
    let family = page.family(metric);
    for label in known {
        family.set_count(&[&source.name, label], tally(source, name, label));
    }
    let counted = source.tallies.iter().filter(|((n, _), _)| n == name);
    for ((_, label), n) in counted.filter(|((_, l), _)| !known.contains(&l.as_str())) {
        family.set_count(&[&source.name, label], *n);
    }
}

fn tally(source: &SourceView, name: &str, label: &str) -> u64 {
    source.tallies.get(&(name.to_owned(), label.to_owned())).copied().unwrap_or(0)
}
