//! The table of the sources: whether what partners write is seen.

use super::show::{cells, rough, table};
use super::{Source, View};
use crate::report::plain::html as plain;
use crate::time::Instant;

pub(super) fn sources(view: &View) -> String {
    let rows: String = view.sources.iter().map(|s| row(s, view.now)).collect();
    let heading = "<section aria-labelledby=\"sources\">\n<h2 id=\"sources\">Sources</h2>\n";
    let columns = [
        "source",
        "partner",
        "state",
        "last line",
        "last event",
        "behind",
        "rejected lines",
        "possible losses",
    ];
    format!("{heading}{}</section>\n", table(&columns, &rows))
}

fn row(source: &Source, now: Instant) -> String {
    let ago =
        |t: Option<Instant>| t.map_or("none yet".into(), |t| format!("{} ago", rough(now - t)));
    let state = match (source.up, source.silent.or(source.without_events)) {
        (false, _) if source.misread => "<span class=\"broken\">wrong encoding</span>".into(),
        (false, _) => "<span class=\"broken\">cannot be read</span>".into(),
        (true, Some(silent)) => {
            let what = if source.silent.is_some() { "silent" } else { "lines, but no events" };
            format!("<span class=\"broken\">{what} for {}</span>", rough(silent))
        }
        (true, None) if source.covered => "ok".into(),
        (true, None) if source.last_line.is_none() => {
            "<span class=\"broken\">no line yet</span>".into()
        }
        (true, None) => "<span class=\"broken\">not caught up</span>".into(),
    };
    cells(&[
        ("source", plain(&source.name)),
        ("partner", plain(&source.partners.join(", "))),
        ("state", state),
        ("last line", ago(source.last_line)),
        ("last event", ago(source.last_event)),
        ("behind", format!("{} bytes", source.lag_bytes)),
        ("rejected lines", source.rejected.to_string()),
        ("possible losses", source.losses.to_string()),
    ])
}
