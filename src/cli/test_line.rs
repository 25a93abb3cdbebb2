//! `offhours test-line`: the event that a line becomes, or why it is none.

use std::collections::VecDeque;
use std::io::Read;

use clap::Args;

use super::table::clean;
use super::{ConfigArg, FINE, FOUND, Outcome, failed, print, usage};
use crate::clock;
use crate::event::{Body, Event};
use crate::format::{FileState, Part, Reader, Reading, Rejection};
use crate::time::{format_duration, rfc3339};

#[derive(Args)]
#[command(after_help = "Examples:
  offhours test-line 'time=2025-11-10T13:10:00Z msg=\"maintenance task\" state=STARTED task=copy'
  tail -1 partner.log | offhours test-line --source hostco-maintenance
  offhours test-line --source db < report.txt    lines that belong together are one record
  head -3 partner.csv | offhours test-line       of a csv source the first line is the header
  offhours test-line --source notices < maintenance.ics       a document is read as a whole

Exit codes: 0 every line (or record) is an event, 1 one is not, 2 wrong usage or configuration.")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    /// The source of the line; needed only if there is more than one.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The line; default: lines from standard input.
    line: Option<String>,
}

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let names = || config.sources.iter().map(|s| &*s.name).collect::<Vec<_>>().join(", ");
    let source = match (&options.source, config.sources.as_slice()) {
        (None, [only]) => only,
        (None, _) => return Err(usage(format!("say --source NAME; there are {}", names()))),
        (Some(name), all) => all
            .iter()
            .find(|s| &*s.name == name)
            .ok_or_else(|| usage(format!("there is no source {name:?}; there are {}", names())))?,
    };
    let reader = Reader::new(source.spec.clone());
    if reader.is_of_documents() {
        return test_document(&reader, options.line.as_deref());
    }
    let texts = match &options.line {
        Some(line) => vec![Ok(line.as_bytes().to_vec())],
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
            texts(&reader, &bytes)
        }
    };
    let is_one = options.line.is_some();
    let mut lines: VecDeque<Result<&[u8], Rejection>> = VecDeque::new();
    for text in &texts {
        match text {
            Ok(text) if is_one => lines.push_back(Ok(text)),
            Ok(text) => lines.extend(reader.records(text).map(|(_, record)| Ok(record))),
            Err(rejection) => lines.push_back(Err(rejection.clone())),
        }
    }
    let mut state = FileState::default();
    if reader.needs_header() {
        let header = lines.pop_front().ok_or_else(|| usage("the header line is missing"))?;
        let header = header.and_then(|header| FileState::with_header(&reader, header));
        state = header.map_err(|r| failed(r.detail))?;
    }
    let mut code = FINE;
    for line in lines {
        let (text, is_event) = match line {
            Ok(line) => told(&reader, line, &state),
            Err(rejection) => fate(Reading::Rejected(rejection), ""),
        };
        if !is_event {
            code = FOUND;
        }
        print(|out| writeln!(out, "{text}"))?;
    }
    Ok(code)
}

/// Bytes as text, line by line where some cannot be read.
fn texts(reader: &Reader, bytes: &[u8]) -> Vec<Result<Vec<u8>, Rejection>> {
    let mut texts: Vec<Result<Vec<u8>, Rejection>> = Vec::new();
    reader.encoding_of(bytes, false).parts(bytes, &mut |_, part| match (part, texts.last_mut()) {
        (Part::Text(text), Some(Ok(before))) => before.extend_from_slice(&text),
        (Part::Text(text), _) => texts.push(Ok(text.into_owned())),
        (Part::Bad(_, rejection), _) => texts.push(Err(rejection)),
    });
    texts
}

/// Every record of a document.
fn test_document(reader: &Reader, text: Option<&str>) -> Outcome {
    let mut bytes = text.unwrap_or_default().as_bytes().to_vec();
    if text.is_none() {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    }
    let records = reader.read_document(&bytes, clock::now());
    let records = records.map_err(|r| failed(format!("{}: {}", r.reason, clean(&r.detail))))?;
    if records.is_empty() {
        print(|out| writeln!(out, "ignored: there is no record in it"))?;
        return Ok(FOUND);
    }
    let mut code = FINE;
    for record in records {
        let (text, is_event) = fate(record.reading, "the record is none of a change");
        if !is_event {
            code = FOUND;
        }
        print(|out| writeln!(out, "byte {}: {text}", record.offset))?;
    }
    Ok(code)
}

/// What a line is, for people.
fn told(reader: &Reader, line: &[u8], state: &FileState) -> (String, bool) {
    if !reader.passes(line, state) {
        return ("ignored: the line does not pass `match`".into(), false);
    }
    let reading = reader.read(line, state, clock::now());
    fate(reading, "the line has neither an event nor a status")
}

fn fate(reading: Reading, ignored: &str) -> (String, bool) {
    match reading {
        Reading::Ignored => (format!("ignored: {ignored}"), false),
        Reading::Rejected(r) => {
            let column = r.column.map(|c| format!("column {c}: ")).unwrap_or_default();
            (format!("rejected: {}: {column}{}", r.reason, clean(&r.detail)), false)
        }
        Reading::Event(event) => (describe(&event), true),
    }
}

fn describe(event: &Event) -> String {
    let mut rows: Vec<(&str, String)> = vec![("time", rfc3339(event.at))];
    if let Some(other) = event.other_reading {
        let why = "the stamp has no offset and its hour came twice; or";
        rows.push(("ambiguous", format!("{why} {}", rfc3339(other.at))));
    }
    if let Some(partner) = &event.partner {
        rows.push(("partner", partner.to_string()));
    }
    let text = |t: &Option<Box<str>>| t.as_deref().unwrap_or_default().to_string();
    match &event.body {
        Body::Run(line) => {
            rows.push(("event", line.kind.to_string()));
            rows.push(("procedure", text(&line.procedure)));
            rows.push(("service", line.services.join(", ")));
            rows.push(("run_id", text(&line.run_id)));
            rows.push(("change_id", text(&line.change_id)));
            rows.push(("trigger", line.trigger.to_string()));
            rows.push(("phase", text(&line.phase)));
            rows.push(("outcome", text(&line.outcome)));
            if let Some((start, end)) = line.whole {
                rows.push(("start", rfc3339(start)));
                rows.push(("end", rfc3339(end)));
                rows.push(("duration", format_duration(end - start)));
            }
        }
        Body::Notice(notice) => {
            let time = |t: Option<crate::time::Instant>| t.map(rfc3339).unwrap_or_default();
            let answered = "(that of the slot)";
            let id = if notice.change_id.is_empty() { answered } else { &*notice.change_id };
            rows.push(("change_id", id.to_owned()));
            rows.push(("slot", text(&notice.slot)));
            let status = notice.status.map(|s| s.to_string());
            rows.push(("status", status.unwrap_or_default()));
            let revision = notice.revision.map(|r| r.to_string());
            rows.push(("revision", revision.unwrap_or_default()));
            rows.push(("procedure", notice.procedures.join(", ")));
            rows.push(("service", notice.services.join(", ")));
            let change_type = notice.change_type.map(|t| t.to_string());
            rows.push(("change_type", change_type.unwrap_or_default()));
            rows.push(("planned_start", time(notice.planned_start)));
            rows.push(("planned_end", time(notice.planned_end)));
            let accepted = if notice.accepted { "by us" } else { "" };
            rows.push(("accepted", accepted.into()));
        }
    }
    let rows = rows.iter().filter(|(_, value)| !value.is_empty());
    let rows: Vec<String> =
        rows.map(|(key, value)| format!("  {key:<14}{}", clean(value))).collect();
    format!("event:\n{}", rows.join("\n"))
}
