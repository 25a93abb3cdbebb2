//! The glance as HTML: without scripts, for screens, telephones and those who listen to it.

use chrono::TimeDelta;

use super::sources::sources;
use super::{CASES_MAX, CHANGES_MAX, Glance, Open, Pictures, REFRESH_SECONDS, RUNS_MAX, case_path};
use crate::calendar::Zone;
use crate::ledger::terms_of;
use crate::report::plain::html as plain;
use crate::report::style::fresh_page;
use crate::report::timeline::legend;
use crate::report::windows::Row;
use crate::run::Run;
use crate::time::{Instant, format_duration};
use crate::verdict::local;

/// Where else to look.
const LINKS: [(&str, &str); 6] = [
    ("/metrics", "metrics for Prometheus"),
    ("/api/v1/runs", "runs as JSON, newest first"),
    ("/api/v1/windows", "upcoming windows as JSON; add ?format=ics for a calendar"),
    ("/api/v1/sources", "sources as JSON"),
    ("/-/healthy", "liveness check"),
    ("/-/ready", "readiness check: ok once the existing logs have been read"),
];

pub(super) fn catching_up(version: &str) -> String {
    let body = "<header>\n<p class=\"kind\">offhours</p>\n<h1>Reading the existing logs</h1>\n</header>\n\
         <p class=\"lead\" role=\"status\">The current state is not known yet. This page reloads by itself.</p>\n"
        .to_owned();
    fresh_page("offhours: catching up", &(body + &footer(version)), REFRESH_SECONDS)
}

pub(super) fn page(glance: &Glance) -> String {
    let (title, tone) = glance.standing.headline();
    let mut body = format!(
        "<header>\n<p class=\"kind\">offhours: maintenance against what was agreed</p>\n\
         <h1 class=\"{tone}\">{title}</h1>\n<p class=\"soft\">{}</p>\n</header>\n",
        clocks(glance)
    );
    let beside = glance.standing.beside();
    if !beside.is_empty() {
        body += &format!("<p class=\"lead\" role=\"status\">{}.</p>\n", beside.join(". "));
    }
    body += &violations(glance);
    body += &doubts(glance);
    body += &emergencies(glance);
    body += &running(glance);
    for pictures in &glance.stages {
        body += &service(pictures);
    }
    body += &left_out(glance);
    if !glance.stages.is_empty() {
        body += &legend();
    }
    body += &ahead(glance);
    body += &sources(glance.view);
    fresh_page(
        &format!("{title} - offhours"),
        &(body + &footer(glance.view.version)),
        REFRESH_SECONDS,
    )
}

/// The present by the clocks of every service's zone, and in UTC.
fn clocks(glance: &Glance) -> String {
    let now = chrono::SubsecRound::trunc_subsecs(glance.view.now, 0);
    let mut zones: Vec<Zone> = Vec::new();
    for pictures in &glance.stages {
        if zones.iter().all(|zone| zone.name() != pictures.stage.zone.name()) {
            zones.push(pictures.stage.zone.clone());
        }
    }
    let zones: Vec<String> = zones
        .iter()
        .map(|zone| {
            format!(
                "<time datetime=\"{}\">{}</time> in {}",
                crate::time::rfc3339(now),
                local(zone, now),
                plain(zone.name())
            )
        })
        .collect();
    let utc = glance.view.now.format("%H:%M:%S UTC");
    match zones.is_empty() {
        true => utc.to_string(),
        false => format!("{}; {utc}", zones.join("; ")),
    }
}

fn zone_of(glance: &Glance, run: &Run) -> Zone {
    terms_of(glance.view.policy, run).map_or_else(Zone::utc, |terms| terms.zone.clone())
}

fn on(run: &Run) -> String {
    let service = run.service.as_deref().map_or(String::new(), |s| format!(" on {}", plain(s)));
    format!("{} by {}{service}", plain(&run.procedure), plain(&run.partner))
}

fn link(run: &Run, text: &str) -> String {
    format!("<a href=\"{}\">{text}</a>", plain(&case_path(run)))
}

fn violations(glance: &Glance) -> String {
    if glance.standing.unacknowledged.is_empty() {
        return String::new();
    }
    let mut text =
        "<section aria-labelledby=\"violations\">\n<h2 id=\"violations\">Not acknowledged</h2>\n"
            .to_owned();
    for run in glance.standing.unacknowledged.iter().take(CASES_MAX) {
        text += &violation(glance, run);
    }
    let more = glance.standing.unacknowledged.len().saturating_sub(CASES_MAX);
    if 0 < more {
        text += &format!(
            "<p>And {more} more: <a href=\"/api/v1/runs?verdict=violation\">all violations</a>.</p>\n"
        );
    }
    text + "</section>\n"
}

/// Runs of which nobody can say whether they were as agreed.
fn doubts(glance: &Glance) -> String {
    let runs = &glance.standing.unknown;
    if runs.is_empty() {
        return String::new();
    }
    let row = |run: &&std::sync::Arc<Run>| {
        let zone = zone_of(glance, run);
        let reasons = run.findings.values().map(|finding| {
            let reason = finding.reason.as_str();
            format!("<span class=\"broken\">{reason}</span>: {}", plain(&finding.detail))
        });
        let mut why: Vec<String> = reasons.collect();
        if run.uncovered {
            why.push("a calendar does not reach its start".into());
        }
        cells(&[
            ("run", link(run, &on(run))),
            ("began", local(&zone, run.start)),
            ("state", plain(&state_of(glance, run))),
            ("why", why.join("<br>")),
        ])
    };
    let rows: String = runs.iter().take(CASES_MAX).map(row).collect();
    "<section aria-labelledby=\"unknown\">\n<h2 id=\"unknown\">Evidence is missing</h2>\n"
        .to_owned()
        + &table(&["run", "began", "state", "why"], &rows)
        + &more(runs.len(), CASES_MAX)
        + "<p class=\"soft\">Acknowledge with <code>offhours ack RUN --by NAME --note TEXT</code></p>\n</section>\n"
}

fn emergencies(glance: &Glance) -> String {
    let runs = &glance.standing.emergencies;
    if runs.is_empty() {
        return String::new();
    }
    let row = |(run, until): &(&std::sync::Arc<Run>, Instant)| {
        let zone = zone_of(glance, run);
        let waived = run.findings.values().filter(|finding| finding.waived);
        let waived: Vec<&str> = waived.map(|finding| finding.reason.as_str()).collect();
        cells(&[
            ("run", link(run, &on(run))),
            ("change", run.change().map_or(String::new(), |change| plain(change))),
            ("began", local(&zone, run.start)),
            ("state", plain(&state_of(glance, run))),
            ("waived", waived.join(", ")),
            ("to be approved by", local(&zone, *until)),
        ])
    };
    let rows: String = runs.iter().take(CASES_MAX).map(row).collect();
    "<section aria-labelledby=\"emergencies\">\n<h2 id=\"emergencies\">Emergencies to approve</h2>\n"
        .to_owned()
        + &table(&["run", "change", "began", "state", "waived", "to be approved by"], &rows)
        + &more(runs.len(), CASES_MAX)
        + "<p class=\"soft\">Approve with <code>offhours approve CHANGE --by NAME --note TEXT</code></p>\n</section>\n"
}

fn state_of(glance: &Glance, run: &Run) -> String {
    match run.end {
        None if run.is_open() && glance.view.now < run.start => {
            format!("{}; its start is stamped in the future", run.state)
        }
        None if run.is_open() => {
            format!("{}, for {} now", run.state, rough(glance.view.now - run.start))
        }
        None => run.state.to_string(),
        Some(end) => format!("{} {}", run.state, local(&zone_of(glance, run), end)),
    }
}

/// The number of the run, and its id in the log.
fn named(run: &Run) -> String {
    let id = run.run_id.as_deref().map_or(String::new(), |id| format!(" ({})", plain(id)));
    format!("{}{id}", run.no)
}

fn violation(glance: &Glance, run: &Run) -> String {
    let zone = zone_of(glance, run);
    let state = state_of(glance, run);
    let mut text = format!(
        "<article>\n<h3>{}</h3>\n<dl>\n<dt>run</dt><dd>{}</dd>\n<dt>began</dt><dd>{}</dd>\n<dt>state</dt><dd>{}</dd>\n",
        link(run, &on(run)),
        named(run),
        local(&zone, run.start),
        plain(&state),
    );
    for finding in run.findings.values().filter(|finding| !finding.waived) {
        let reason = finding.reason.as_str();
        text += &format!("<dt class=\"broken\">{reason}</dt><dd>{}</dd>\n", plain(&finding.detail));
    }
    text += &format!(
        "</dl>\n<p class=\"soft\">Acknowledge with <code>offhours ack {} --by NAME --note TEXT</code></p>\n</article>\n",
        run.no
    );
    text
}

fn running(glance: &Glance) -> String {
    let mut text =
        "<section aria-labelledby=\"running\">\n<h2 id=\"running\">Running now</h2>\n".to_owned();
    if glance.open.is_empty() {
        return text + "<p>Nothing is running.</p>\n</section>\n";
    }
    let rows: String =
        glance.open.iter().rev().take(CASES_MAX).map(|open| open_row(glance, open)).collect();
    text += &table(&["run", "verdict so far", "since", "expected to end", "must end by"], &rows);
    text += &more(glance.open.len(), CASES_MAX);
    text + "</section>\n"
}

fn open_row(glance: &Glance, open: &Open) -> String {
    let zone = zone_of(glance, open.run);
    let time = |t: Option<Instant>| t.map_or("not known".into(), |t| local(&zone, t));
    let reasons: Vec<&str> =
        open.forecast.will_break.iter().map(|reason| reason.as_str()).collect();
    let breaks = match reasons.is_empty() {
        true => String::new(),
        false => format!("<br><span class=\"broken\">would break {}</span>", reasons.join(", ")),
    };
    let projected = match open.forecast.projected_end {
        Some(end) if end <= glance.view.now => "any moment".into(),
        end => time(end),
    };
    let deadline = open.forecast.deadline.map_or("no limit".into(), |t| local(&zone, t));
    cells(&[
        ("run", link(open.run, &on(open.run))),
        ("verdict so far", verdict(open.run)),
        ("since", local(&zone, open.run.start)),
        ("expected to end", projected + &breaks),
        ("must end by", deadline),
    ])
}

fn verdict(run: &Run) -> String {
    let verdict = run.verdict().as_str();
    let known = run.acknowledged.as_ref().map_or(String::new(), |a| {
        format!("<br><span class=\"soft\">acknowledged by {}</span>", plain(&a.by))
    });
    format!("<span class=\"verdict {verdict}\">{verdict}</span>{known}")
}

fn service(pictures: &Pictures) -> String {
    let (name, zone) = (plain(pictures.stage.name()), plain(pictures.stage.zone.name()));
    let id = plain(&pictures.today.id);
    format!(
        "<section aria-labelledby=\"s-{id}\">\n<h2 id=\"s-{id}\">{name}</h2>\n<h3>Today</h3>\n{}\
         <h3>The last seven days</h3>\n{}<p class=\"soft\">Hours are those of {zone}.</p>\n</section>\n",
        pictures.today.html(),
        pictures.days.html(),
    )
}

fn left_out(glance: &Glance) -> String {
    let mut text = String::new();
    if 0 < glance.stages_left_out {
        text += &format!("<p class=\"soft\">And {} more services.</p>\n", glance.stages_left_out);
    }
    if RUNS_MAX <= glance.view.runs.len() {
        text += &format!("<p class=\"soft\">Only the latest {RUNS_MAX} runs are drawn.</p>\n");
    }
    text
}

fn ahead(glance: &Glance) -> String {
    let mut text = "<section aria-labelledby=\"ahead\">\n<h2 id=\"ahead\">Planned for the next seven days</h2>\n".to_owned();
    if glance.ahead.is_empty() {
        return text + "<p>No changes are planned.</p>\n</section>\n";
    }
    let rows: String = glance.ahead.iter().take(CHANGES_MAX).map(planned).collect();
    text += &table(&["change", "what", "from", "to", "notes"], &rows);
    text += &more(glance.ahead.len(), CHANGES_MAX);
    text + "</section>\n"
}

fn planned(row: &Row) -> String {
    let mut remark = row.status.map_or(String::new(), plain);
    if let Some(by) = row.confirm_by {
        remark += &format!(", to be confirmed by {}", local(&row.zone, by));
    }
    for (reason, detail) in &row.conflicts {
        remark +=
            &format!("<br><span class=\"broken\">would break {reason}</span>: {}", plain(detail));
    }
    cells(&[
        ("change", plain(row.name.as_deref().unwrap_or_default())),
        ("what", plain(&row.subject())),
        ("from", local(&row.zone, row.span.start)),
        ("to", local(&row.zone, row.span.end)),
        ("notes", remark),
    ])
}

pub(super) fn table(columns: &[&str], rows: &str) -> String {
    let head: String =
        columns.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    format!(
        "<table class=\"list\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
    )
}

/// One row; each cell carries the name of its column, which telephones show beside it.
pub(super) fn cells(cells: &[(&str, String)]) -> String {
    let cell = |(name, value): &(&str, String)| {
        format!("<td><span class=\"column\" aria-hidden=\"true\">{name} </span>{value}</td>")
    };
    format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>())
}

fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("<p class=\"soft\">And {more} more.</p>\n"),
    }
}

/// A span of time for people: its two largest units.
pub(super) fn rough(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let unit = match seconds {
        0..3_600 => 1,
        3_600..86_400 => 60,
        _ => 3_600,
    };
    format_duration(TimeDelta::seconds(seconds / unit * unit))
}

fn footer(version: &str) -> String {
    let links: String = LINKS
        .iter()
        .map(|(path, what)| format!("<li><a href=\"{path}\">{path}</a> {what}</li>\n"))
        .collect();
    format!(
        "<footer class=\"soft\">\n<nav aria-label=\"More\">\n<ul>\n{links}</ul>\n</nav>\n<p>offhours {}, \
         reloads every {REFRESH_SECONDS} s.</p>\n</footer>\n",
        plain(version)
    )
}
