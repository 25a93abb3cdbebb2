//! The three families of records: run lines, one-line finished runs, and change notices.

use chrono::Datelike;

use super::fields::{Fields, Text};
use super::reading::{Reading, Reason, Rejection, quote};
use super::spec::{Approval, Field};
use super::stamp::Stamp;
use crate::event::{Body, ChangeType, Event, Kind, Notice, OtherReading, RunLine, Status, Trigger};
use crate::time::{Instant, YEARS, rfc3339};

/// The event of a line; `None` if it has neither event nor status.
pub(super) fn event(fields: &Fields) -> Result<Option<Event>, Rejection> {
    if let Some(kind) = fields.word(Field::Event, Kind::ALL, Kind::as_str)? {
        let kind = kind.map_err(|text| {
            let accepted = fields.accepted(Field::Event, Kind::ALL.iter().map(|k| k.as_str()));
            text.refuse(Reason::UnknownEvent, Field::Event, &accepted)
        })?;
        return run_line(fields, kind).map(Some);
    }
    if let Some(status) = fields.word(Field::Status, Status::ALL, Status::as_str)? {
        let status = status.map_err(|text: Text| {
            let accepted = fields.accepted(Field::Status, Status::ALL.iter().map(|s| s.as_str()));
            text.refuse(Reason::UnknownStatus, Field::Status, &accepted)
        })?;
        return notice(fields, status).map(Some);
    }
    Ok(None)
}

fn run_line(fields: &Fields, kind: Kind) -> Result<Event, Rejection> {
    let procedure = fields.name(Field::Procedure)?;
    let run_id = fields.run_id()?;
    let change_id = fields.name(Field::ChangeId)?;
    check_names(kind, procedure.is_some(), run_id.is_some(), change_id.is_some())
        .map_err(|rejection| looked_for(fields, rejection))?;
    let times = times(fields, kind)?;
    let trigger = fields.word(Field::Trigger, Trigger::ALL, Trigger::as_str)?;
    let body = Body::Run(RunLine {
        kind,
        services: fields.names(Field::Service)?,
        procedure,
        run_id,
        change_id,
        trigger: trigger.and_then(Result::ok).unwrap_or(Trigger::Unknown),
        phase: fields.remark(Field::Phase)?,
        outcome: fields.remark(Field::Outcome)?,
        whole: times.whole,
    });
    Ok(Event { at: times.at, other_reading: times.other_reading, partner: None, body })
}

/// Whether the line names what it speaks of.
fn check_names(
    kind: Kind,
    procedure: bool,
    run_id: bool,
    change_id: bool,
) -> Result<(), Rejection> {
    let missing = match kind {
        Kind::Approved if !change_id && !run_id => {
            Some((Reason::MissingChangeId, "needs a change_id or a run_id"))
        }
        Kind::Approved => None,
        Kind::Started if !procedure => Some((Reason::MissingProcedure, "needs a procedure")),
        _ if !procedure && !run_id => {
            Some((Reason::MissingProcedure, "needs a procedure or a run_id"))
        }
        _ => None,
    };
    match missing {
        None => Ok(()),
        Some((reason, what)) => {
            Err(Rejection::new(reason, format!("a line with event {kind} {what}")))
        }
    }
}

/// Of a line without a procedure: where it was looked for, if the configuration says that.
fn looked_for(fields: &Fields, rejection: Rejection) -> Rejection {
    let key = fields.spec.fields.get(&Field::Procedure);
    match key.filter(|_| rejection.reason == Reason::MissingProcedure) {
        None => rejection,
        Some(key) => {
            let detail = format!("{} (looked for as {})", rejection.detail, quote(key));
            Rejection::new(rejection.reason, detail)
        }
    }
}

struct Times {
    at: Instant,
    other_reading: Option<OtherReading>,
    whole: Option<(Instant, Instant)>,
}

/// The other reading of a line that tells no times beside its stamp.
fn other(at: Instant) -> OtherReading {
    OtherReading { at, whole: None }
}

/// The stamp of a run line and, of a one-line finished run, its start and end.
fn times(fields: &Fields, kind: Kind) -> Result<Times, Rejection> {
    let time = fields.time()?;
    let of_line = |stamp: Stamp| fields.of_line(stamp);
    let near = time.map_or(fields.moment, Stamp::earlier);
    let start = if kind.is_end() { fields.beside(Field::Start, near)? } else { None };
    let duration = match start {
        None if kind.is_end() => fields.duration()?,
        _ => None,
    };
    if start.is_none() && duration.is_none() {
        let (at, other_at) = time.map(of_line).ok_or_else(missing_time)?;
        return Ok(Times { at, other_reading: other_at.map(other), whole: None });
    }
    let end = fields.beside(Field::End, near)?;
    let (at, other_at) = time.or(end).map(of_line).ok_or_else(missing_time)?;
    let whole = |stamp: Instant| {
        // An end that stands in for the stamp is read like one.
        let end = end.filter(|_| time.is_some()).map_or(stamp, Stamp::earlier);
        let start = match (start, duration) {
            (Some(start), _) => start.earlier(),
            (None, duration) => duration
                .and_then(|duration| end.checked_sub_signed(duration))
                .filter(|start| YEARS.contains(&start.year()))
                .ok_or_else(|| {
                    let detail =
                        format!("the start, before {}, lies before the year 1", rfc3339(end));
                    Rejection::new(Reason::TimeOutOfRange, detail)
                })?,
        };
        Ok((start, end))
    };
    let other = |at| Ok(OtherReading { at, whole: Some(whole(at)?) });
    Ok(Times { at, other_reading: other_at.map(other).transpose()?, whole: Some(whole(at)?) })
}

fn notice(fields: &Fields, status: Status) -> Result<Event, Rejection> {
    let change_id = fields.name(Field::ChangeId)?.ok_or_else(|| {
        Rejection::new(
            Reason::MissingChangeId,
            format!("a line with status {status} needs a change_id"),
        )
    })?;
    let (at, other_at) = fields.of_line(fields.time()?.ok_or_else(missing_time)?);
    let change_type = fields.word(Field::ChangeType, ChangeType::ALL, ChangeType::as_str)?;
    let body = Body::Notice(Notice {
        change_id,
        revision: fields.revision()?,
        status: Some(status),
        services: fields.names(Field::Service)?,
        procedures: fields.name(Field::Procedure)?.into_iter().collect(),
        change_type: change_type.map(|word| word.unwrap_or(ChangeType::Normal)),
        planned_start: fields.planned(Field::PlannedStart, at)?,
        planned_end: fields.planned(Field::PlannedEnd, at)?,
        confirmed_at: fields.planned(Field::ConfirmedAt, at)?,
        ..Notice::default()
    });
    Ok(Event { at, other_reading: other_at.map(other), partner: None, body })
}

/// The event of a record of a document. `written`: its stamp, if it has none of its own.
pub(super) fn record(fields: &Fields, written: Instant) -> Result<Event, Rejection> {
    let change_id = fields
        .name(Field::ChangeId)?
        .ok_or_else(|| Rejection::new(Reason::MissingChangeId, "the record has no change_id"))?;
    let stamp = fields.time()?.map(|stamp| fields.of_line(stamp));
    let (at, other_at) = stamp.unwrap_or((written, None));
    let change_type = fields.word(Field::ChangeType, ChangeType::ALL, ChangeType::as_str)?;
    let accepted = fields.names(Field::Accepted)?;
    let standing = standing(fields, at)?;
    let body = Body::Notice(Notice {
        change_id,
        slot: fields.name(Field::Slot)?,
        revision: fields.revision()?,
        status: standing.status,
        services: fields.names(Field::Service)?,
        procedures: fields.names(Field::Procedure)?,
        change_type: change_type.map(|word| word.unwrap_or(ChangeType::Normal)),
        planned_start: fields.planned(Field::PlannedStart, at)?,
        planned_end: fields.planned(Field::PlannedEnd, at)?,
        confirmed_at: standing.confirmed_at,
        approved_at: standing.approved_at,
        accepted: accepted.iter().any(|word| word.eq_ignore_ascii_case(ACCEPTED)),
        is_record: true,
    });
    Ok(Event { at, other_reading: other_at.map(other), partner: None, body })
}

/// An answer to the notice of a slot, or its cancellation; ignored unless it says yes to one, or cancels.
pub(super) fn answer(fields: &Fields, written: Instant) -> Result<Reading, Rejection> {
    let stamp = fields.time()?.map(|stamp| fields.of_line(stamp));
    let (at, other_at) = stamp.unwrap_or((written, None));
    let answers = fields.names(Field::Accepted)?;
    let accepted = answers.iter().any(|word| word.eq_ignore_ascii_case(ACCEPTED));
    let status = status(fields)?.filter(|status| *status == Status::Cancelled);
    let slot = fields.name(Field::Slot)?.filter(|_| accepted || status.is_some());
    let Some(slot) = slot else { return Ok(Reading::Ignored) };
    let revision = fields.revision()?;
    let slot = Some(slot);
    let answer = Notice { slot, revision, status, accepted, is_record: true, ..Notice::default() };
    let body = Body::Notice(answer);
    let partner = fields.partner()?;
    let other_reading = other_at.map(other);
    Ok(Reading::Event(Event { at, other_reading, partner, body }))
}

/// The answer of our side that is put on record (RFC 5545 section 3.2.12).
const ACCEPTED: &str = "accepted";

/// How far a change has come by a record of it.
struct Standing {
    status: Option<Status>,
    confirmed_at: Option<Instant>,
    approved_at: Option<Instant>,
}

/// Where a record tells of an approval, that is what confirms, whatever the change has come to since; without one it says
/// no more than tentative.
fn standing(fields: &Fields, at: Instant) -> Result<Standing, Rejection> {
    let told = fields.planned(Field::ConfirmedAt, at)?;
    let status = status(fields)?;
    let approval = fields.word(Field::Approval, Approval::ALL, Approval::as_str)?;
    if approval.is_none() && !fields.is_there(Field::Approval) {
        return Ok(Standing { status, confirmed_at: told, approved_at: None });
    }
    let is_approved = matches!(approval, Some(Ok(Approval::Approved)));
    let approved_at = is_approved.then(|| told.unwrap_or(at));
    Ok(match status {
        Some(Status::Confirmed | Status::InProcess) if !is_approved => {
            Standing { status: Some(Status::Tentative), confirmed_at: None, approved_at }
        }
        // How far it has come is left empty.
        None if fields.is_there(Field::Status) => {
            Standing { status, confirmed_at: None, approved_at }
        }
        // Approved before it is scheduled, or called off and when it was approved is not told.
        Some(Status::Tentative) => Standing { status, confirmed_at: None, approved_at },
        Some(Status::Cancelled) => {
            Standing { status, confirmed_at: told.filter(|_| is_approved), approved_at }
        }
        _ => Standing { status, confirmed_at: approved_at, approved_at },
    })
}

fn status(fields: &Fields) -> Result<Option<Status>, Rejection> {
    let status = fields.word(Field::Status, Status::ALL, Status::as_str)?;
    let refuse = |text: Text| {
        let accepted = fields.accepted(Field::Status, Status::ALL.iter().map(|s| s.as_str()));
        text.refuse(Reason::UnknownStatus, Field::Status, &accepted)
    };
    status.map(|status| status.map_err(refuse)).transpose()
}

fn missing_time() -> Rejection {
    Rejection::new(Reason::MissingTime, "the line has no time")
}
