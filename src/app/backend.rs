//! What the HTTP routes answer, from what the loop has published and the ledger on disk.

use std::sync::Arc;

use chrono::TimeDelta;
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::app::find_run::find_run;
use crate::app::shared::{Message, Refusal, Shared};
use crate::app::{diary, known, log_queue, pulse, status};
use crate::clock;
use crate::http::{Backend, Inquiry, Problem, RunQuery, Web, WindowQuery, Windows};
use crate::metrics::{self, SourceView, View};
use crate::process;
use crate::report::run::{RunDetail, RunReport};
use crate::report::windows::{self, Question, RowReport};
use crate::run::{Asked, Run, State};
use crate::store::{Reader, RunFilter, StoreError};
use crate::time::{Instant, parse_duration, rfc3339};
use crate::verdict::Verdict;

/// Answers from what is published.
pub struct Published {
    pub shared: Arc<Shared>,
    pub web: Arc<Web>,
}

impl Published {
    /// The first catch-up is done.
    fn is_caught_up(&self) -> Result<(), String> {
        match self.shared.is_ready() {
            true => Ok(()),
            false => Err("catching up with the logs".into()),
        }
    }

    fn reader(&self) -> Result<Reader<'static>, Problem> {
        Reader::open(&self.shared.storage).map_err(internal)
    }
}

fn internal(error: StoreError) -> Problem {
    tracing::error!(%error, "a question could not be answered");
    Problem::internal("the ledger cannot be read; the log says why")
}

impl Backend for Published {
    fn metrics(&self) -> Result<String, Problem> {
        self.is_caught_up().map_err(Problem::unavailable)?;
        let (sources, mut own) = (self.shared.sources(), self.shared.own());
        own.process = process::view();
        own.web = self.web.view();
        own.last_turn =
            TimeDelta::from_std(self.shared.pulse().age()).ok().map(|a| clock::wall() - a);
        own.log_dropped = log_queue::dropped();
        let standing = clock::standing();
        own.clock_ahead = standing.ahead.unwrap_or_default();
        (own.clock_jumps, own.slept) = (standing.jumps, standing.slept);
        let ledger = self.shared.ledger();
        // Asked for behind the ledger: counters of time must not be counted by a policy that is over.
        let config = self.shared.config();
        let view = View {
            ledger: &ledger,
            policy: &config.policy,
            now: clock::now(),
            sources: &sources,
            own: &own,
            known: known(),
        };
        metrics::project(&view).map_err(|e| Problem::internal(e.to_string()))
    }

    fn healthy(&self) -> Result<(), String> {
        self.shared.pulse().stands().map_or(Ok(()), |stood| Err(pulse::sentence(stood)))
    }

    fn ready(&self) -> Result<(), String> {
        self.healthy()?;
        self.is_caught_up()
    }

    fn reload(&self) -> Result<(), String> {
        self.shared.ask(Message::Reload).map(|_| ())
    }

    fn status(&self) -> Result<String, Problem> {
        status::page(&self.shared).map_err(internal)
    }

    fn case(&self, id: &str) -> Result<Option<String>, Problem> {
        let case = status::case(&self.shared, id).map_err(internal)?;
        Ok(case.map(|case| case.html()))
    }

    fn runs(&self, query: &RunQuery) -> Result<Value, Problem> {
        let filter = filter_of(query, clock::now())?;
        let found = self.reader()?.runs(&filter).map_err(internal)?;
        let runs: Vec<Value> = found.iter().map(|(run, b, o)| summary(run, *b, *o)).collect();
        Ok(json!({ "runs": runs }))
    }

    fn run(&self, id: &str) -> Result<Option<Value>, Problem> {
        let reader = self.reader()?;
        let Ok(run) = find_run(&reader, id) else { return Ok(None) };
        let Some((run, business, outside)) = reader.run(run.no).map_err(internal)? else {
            return Ok(None);
        };
        let entries = reader.entries_of(run.no).map_err(internal)?;
        let mut value = summary(&run, business, outside);
        if let Value::Object(object) = &mut value {
            let detail = serde_json::to_value(RunDetail::new(&run, &entries)).unwrap_or_default();
            object.insert("detail".into(), detail);
        }
        Ok(Some(value))
    }

    fn sources(&self) -> Value {
        let now = clock::now();
        let sources: Vec<Value> = self.shared.sources().iter().map(|s| source_of(s, now)).collect();
        json!({ "sources": sources })
    }

    fn may_start(&self, inquiry: &Inquiry, from: &str) -> Result<Value, Problem> {
        let answer = self.shared.may_start(inquiry.clone(), from.into());
        let answer = answer.map_err(|refusal| match refusal {
            Refusal::Wrong(why) => Problem::bad_request(why),
            Refusal::TooMany(why) => Problem::new(StatusCode::TOO_MANY_REQUESTS, why),
            Refusal::Unavailable(why) => Problem::unavailable(why),
        })?;
        serde_json::to_value(answer).map_err(|error| Problem::internal(error.to_string()))
    }

    fn windows(&self, query: &WindowQuery) -> Result<Windows, Problem> {
        let now = clock::now();
        let from = query.from.as_deref().map(|text| since(text, now)).transpose();
        let from = from.map_err(Problem::bad_request)?;
        let range = Question::days(from, now, query.days).map_err(Problem::bad_request)?;
        let (partner, service) = (query.partner.clone(), query.service.clone());
        let question = Question { range, partner, service };
        let config = self.shared.config();
        let policy = &config.policy;
        question.check(policy).map_err(Problem::bad_request)?;
        let ledger = self.shared.ledger();
        let changes = |partner: &str| ledger.book(partner).map(|book| &book.changes);
        let rows = windows::rows(policy, changes, &question);
        Ok(match query.is_calendar {
            true => {
                let reader = self.reader()?;
                let runs = diary::runs(&reader, policy, &question, from, now).map_err(internal)?;
                Windows::Calendar(windows::calendar(&rows, &runs, policy, now))
            }
            false => {
                let rows: Vec<RowReport> = rows.iter().map(RowReport::from).collect();
                Windows::Rows(json!({ "windows": rows }))
            }
        })
    }
}

fn summary(run: &Run, business: i64, outside: i64) -> Value {
    let report = RunReport::new(run, business.into(), outside.into());
    let mut value = serde_json::to_value(report).unwrap_or_default();
    if let Value::Object(object) = &mut value {
        object.insert("run".into(), run.no.into());
        let acknowledged = run.acknowledged.as_ref();
        let acknowledged =
            acknowledged.map(|a| json!({ "at": rfc3339(a.at), "by": a.by, "note": a.note }));
        object.insert("acknowledged".into(), acknowledged.into());
        object.insert("asked".into(), run.asked.as_deref().map(asked_of).into());
        object.insert("irregular_start".into(), run.irregular_start.map(|k| k.as_str()).into());
    }
    value
}

fn asked_of(asked: &Asked) -> Value {
    let reasons: Vec<&str> = asked.reasons.iter().map(|r| r.as_str()).collect();
    let over = asked.overriding.as_ref().map(|o| json!({ "by": o.by, "reason": o.reason }));
    json!({
        "at": rfc3339(asked.at),
        "by": asked.by,
        "from": asked.from,
        "start": rfc3339(asked.start),
        "may_start": asked.may_start,
        "reasons": reasons,
        "override": over,
        "times": asked.times,
    })
}

/// The filter that a query asks for.
fn filter_of(query: &RunQuery, now: Instant) -> Result<RunFilter, Problem> {
    word(query.verdict.as_deref(), "verdict", Verdict::ALL.iter().map(|v| v.as_str()))?;
    word(query.state.as_deref(), "state", State::ALL.iter().map(|s| s.as_str()))?;
    let since = query.since.as_deref().map(|text| since(text, now)).transpose();
    Ok(RunFilter {
        partner: query.partner.clone(),
        service: query.service.clone(),
        procedure: query.procedure.clone(),
        verdict: query.verdict.clone(),
        state: query.state.clone(),
        run_id: None,
        since: since.map_err(Problem::bad_request)?,
        before: None,
        limit: Some(query.limit),
    })
}

fn word<'a>(
    value: Option<&str>,
    key: &str,
    known: impl Iterator<Item = &'a str>,
) -> Result<(), Problem> {
    let Some(value) = value else { return Ok(()) };
    let known: Vec<&str> = known.collect();
    if known.contains(&value) {
        return Ok(());
    }
    let known = known.join(", ");
    Err(Problem::bad_request(format!("{value:?} is not a valid {key}; accepted are {known}")))
}

/// An instant given as RFC 3339, as a day in UTC, or as a duration back from `now`.
///
/// # Errors
/// It is none of them, as a sentence.
pub fn since(text: &str, now: Instant) -> Result<Instant, String> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    if let Ok(day) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let back = parse_duration(text).and_then(|d| now.checked_sub_signed(d));
    back.ok_or_else(|| {
        format!(
            "{text:?} is not a time; accepted are RFC 3339 (2025-11-10T13:10:00Z), a day in UTC (2025-11-10) and a duration back from now (7d)"
        )
    })
}

fn source_of(s: &SourceView, now: Instant) -> Value {
    let count = |name: &str, label: &str| {
        s.tallies.get(&(name.to_string(), label.to_string())).copied().unwrap_or(0)
    };
    let silent = crate::app::watch::silence(s, now);
    json!({
        "source": &*s.name,
        "partner": s.partners.first().filter(|_| s.partners.len() == 1),
        "partners": s.partners,
        "up": s.up,
        "covered": s.covered,
        "unseen": s.unseen,
        "files": s.files,
        "lag_bytes": s.lag_bytes,
        "last_line": s.last_line.map(rfc3339),
        "last_event": s.last_event.map(rfc3339),
        "silent": silent.is_some(),
        "without_events": crate::app::watch::event_silence(s, now).is_some(),
        "lines": {
            "event": count("lines", "event"),
            "ignored": count("lines", "ignored"),
            "rejected": count("lines", "rejected"),
        },
        "bytes": count("bytes", ""),
        "covered_seconds": count("covered_nanos", "") as f64 / 1e9,
    })
}
