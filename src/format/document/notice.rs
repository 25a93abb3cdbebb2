//! Maintenance notices in the BCOP form: events of iCalendar (RFC 5545) with `X-MAINTNOTE-*` properties, alone or in
//! mails (RFC 5322) that carry them.
//!
//! The keys of a record are the names of its properties in small letters, without `X-MAINTNOTE-`: `maintenance_id`,
//! `account`, `dtstart`. `object` is every `OBJECT-ID`, `partstat` every `PARTSTAT` of an attendee.

use std::borrow::Cow;

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use super::super::reading::{Reason, Rejection};
use super::super::scan::Value;
use crate::calendar::ical::{Component, Document, Length, Property, Time, Zones};
use crate::calendar::{Edge, Zone};
use crate::time::{Instant, rfc3339};

/// Mails inside one another; what lies deeper is not looked at.
const MAILS_DEEP_MAX: usize = 4;

const PREFIX: &str = "X-MAINTNOTE-";

/// One event.
pub(super) struct Notice {
    /// Byte offset of its `BEGIN`; in a mail, of the part that carries it.
    pub at: usize,
    /// It says of which event it speaks by the UID alone: somebody's answer (RFC 5546, 3.2.3), or a cancellation (3.2.5).
    pub is_by_uid: bool,
    /// `None`: it is no notice of maintenance.
    pub values: Result<Option<Values>, Rejection>,
}

type Values = Vec<(String, Value<'static>)>;

/// The events of a calendar, or of all calendars in a mail. `zone` is that of times without one.
///
/// # Errors
/// It is neither, or ends in the middle.
pub(super) fn notices(body: &[u8], zone: &Zone) -> Result<Vec<Notice>, Rejection> {
    if is_calendar(body) {
        return events(body, zone, None);
    }
    let mail = MessageParser::default().parse(body).filter(is_mail);
    let mail = mail.ok_or_else(|| {
        Rejection::new(Reason::Syntax, "neither an iCalendar (BEGIN:VCALENDAR) nor a mail")
    })?;
    let mut found = Vec::new();
    in_mail(&mail, zone, 0, &mut found);
    if found.is_empty() {
        found.push(Notice { at: 0, is_by_uid: false, values: Ok(None) });
    }
    Ok(found)
}

/// Whether a notice need not be waited for: a calendar that is closed. Of a mail nobody can tell.
pub fn is_whole_notice(bytes: &[u8]) -> bool {
    let end = bytes.trim_ascii_end();
    let last = end.len().saturating_sub(END.len());
    end.get(last..).is_some_and(|last| last.eq_ignore_ascii_case(END)) && is_calendar(bytes)
}

const END: &[u8] = b"END:VCALENDAR";

fn is_calendar(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let begin = b"BEGIN:VCALENDAR";
    body.get(..begin.len()).is_some_and(|first| first.eq_ignore_ascii_case(begin))
}

fn is_mail(mail: &Message) -> bool {
    mail.from().is_some() || mail.subject().is_some() || mail.root_part().content_type().is_some()
}

/// A part that is broken does not spoil the others.
fn in_mail(mail: &Message, zone: &Zone, depth: usize, found: &mut Vec<Notice>) {
    for part in &mail.parts {
        let at = usize::try_from(part.offset_body).unwrap_or_default();
        let refused = |rejection| Notice { at, is_by_uid: false, values: Err(rejection) };
        match &part.body {
            PartType::Message(inner) if depth < MAILS_DEEP_MAX => {
                in_mail(inner, zone, depth + 1, found);
            }
            PartType::Message(_) | PartType::Multipart(_) => {}
            _ if is_calendar(part.contents()) => match events(part.contents(), zone, Some(at)) {
                Ok(events) => found.extend(events),
                Err(rejection) => found.push(refused(rejection)),
            },
            _ if part.is_content_type("text", "calendar") => {
                let detail =
                    "a part of type text/calendar that is none: cut off, or not encoded as it says";
                found.push(refused(Rejection::new(Reason::Syntax, detail)));
            }
            _ => {}
        }
    }
}

fn events(text: &[u8], zone: &Zone, part_at: Option<usize>) -> Result<Vec<Notice>, Rejection> {
    let syntax = |detail: String| Rejection::new(Reason::Syntax, detail);
    let document = Document::parse(text).map_err(|e| syntax(e.message))?;
    if let Some(at) = document.unfinished_at {
        return Err(syntax(format!("what begins at byte {at} of the calendar has no END")));
    }
    let mut found = Vec::new();
    for calendar in document.components.iter().filter(|c| c.name == "VCALENDAR") {
        let zones = Zones::of(calendar, None, zone);
        let method = calendar.text("METHOD").unwrap_or_default();
        let is = |word: &str| method.trim().eq_ignore_ascii_case(word);
        let (answers, cancels) = (is("REPLY"), is("CANCEL"));
        for event in calendar.components.iter().filter(|c| c.name == "VEVENT") {
            let at = part_at.unwrap_or(event.at);
            let is_notice = event.properties.iter().any(|p| p.name.starts_with(PREFIX));
            let is_cancelled = !answers && (cancels || says(event, "STATUS", CANCELLED));
            let values = match is_notice {
                true => values(event, &zones, is_cancelled).map(Some),
                false if answers || is_cancelled => by_uid(event, &zones).map(Some),
                false => Ok(None),
            };
            let add_status = |mut values: Values| {
                if is_cancelled {
                    values.push(("status".to_owned(), Value::text(CANCELLED.to_owned(), 0)));
                }
                values
            };
            let values = values.map(|values| values.map(add_status));
            found.push(Notice { at, is_by_uid: !is_notice, values });
        }
    }
    Ok(found)
}

const CANCELLED: &str = "CANCELLED";

fn says(event: &Component, property: &str, word: &str) -> bool {
    event.text(property).is_some_and(|text| text.trim().eq_ignore_ascii_case(word))
}

/// Of an answer or a cancellation that is no notice itself: of which event it speaks, and how.
fn by_uid(event: &Component, zones: &Zones) -> Result<Values, Rejection> {
    let told = ["UID", "SEQUENCE", "ORGANIZER"].into_iter().filter_map(|name| event.property(name));
    let mut values: Values = told.map(|p| (key_of(&p.name), text(p.text()))).collect();
    values.push(("partstat".to_owned(), answers_of(event)));
    if let Some(stamp) = event.property("DTSTAMP") {
        let stamp = stamp.time(zones).map_err(|e| Rejection::new(Reason::BadTime, e.message))?;
        values.push(("dtstamp".to_owned(), text(rfc3339(stamp.instant(Edge::Earlier)))));
    }
    Ok(values)
}

/// `is_cancelled`: by its own STATUS or by the METHOD of its calendar.
fn values(event: &Component, zones: &Zones, is_cancelled: bool) -> Result<Values, Rejection> {
    let mut values = Vec::new();
    // Of STATUS and X-MAINTNOTE-STATUS the latter counts, unless the former cancels.
    let (ours, theirs): (Vec<_>, Vec<_>) =
        event.properties.iter().partition(|property| property.name.starts_with(PREFIX));
    for property in theirs {
        let key = key_of(&property.name);
        if !matches!(key.as_str(), "dtstart" | "dtend" | "dtstamp" | "status") {
            values.push((key, text(property.text())));
        }
    }
    values.extend(ours.iter().map(|p| (key_of(&p.name), text(p.text()))));
    let objects = event.all("X-MAINTNOTE-OBJECT-ID").map(Property::text).collect();
    values.push(("object".to_owned(), list(objects)));
    values.push(("partstat".to_owned(), answers_of(event)));
    for (key, at) in times(event, zones, is_cancelled)? {
        values.push((key.to_owned(), text(rfc3339(at))));
    }
    Ok(values)
}

fn answers_of(event: &Component) -> Value<'static> {
    let answers = event.all("ATTENDEE").filter_map(|p| p.param("PARTSTAT"));
    list(answers.map(str::to_owned).collect())
}

fn list(texts: Vec<String>) -> Value<'static> {
    Value::List { texts: texts.into_iter().map(Cow::Owned).collect(), at: 0 }
}

/// `dtstamp`, `dtstart` and `dtend`, as far as they are there; an end may be told by its distance.
fn times(
    event: &Component,
    zones: &Zones,
    is_cancelled: bool,
) -> Result<Vec<(&'static str, Instant)>, Rejection> {
    let bad = |reason, detail: String| Rejection::new(reason, detail);
    let read = |name: &str, edge: Edge| match event.property(name) {
        None => Ok(None),
        Some(property) => match property.time(zones) {
            Ok(time) => Ok(Some((time.instant(edge), time))),
            Err(error) => Err(bad(Reason::BadTime, error.message)),
        },
    };
    let stamp = read("DTSTAMP", Edge::Earlier)?.map(|(at, _)| at);
    let start = read("DTSTART", Edge::Earlier)?;
    let told = read("DTEND", Edge::Earlier)?;
    let mut end = match (&told, event.property("DURATION")) {
        (None, Some(_)) => None,
        _ => day_end(start.as_ref(), told.as_ref()),
    };
    if let (None, Some(property), Some((from, time))) = (end, event.property("DURATION"), &start) {
        let length = Length::parse(property.value.trim());
        end = length.and_then(|length| length.end(time.civil, *from, &time.zone));
        if end.is_none() {
            let detail = format!("DURATION: {:?} is not a length such as PT2H", property.value);
            return Err(bad(Reason::BadDuration, detail));
        }
    }
    let is_cancelled = is_cancelled || says(event, "X-MAINTNOTE-STATUS", CANCELLED);
    if start.is_some() && end.is_none() && !is_cancelled {
        let detail = "the notice has a DTSTART but no DTEND: nobody knows when it is to end";
        return Err(bad(Reason::BadPlan, detail.to_owned()));
    }
    let start = start.map(|(at, _)| at);
    let all = [("dtstamp", stamp), ("dtstart", start), ("dtend", end)];
    Ok(all.into_iter().filter_map(|(key, at)| Some((key, at?))).collect())
}

/// The end as it is told; one day if it is that of a day without an end, or of a day that ends on itself.
fn day_end(start: Option<&(Instant, Time)>, end: Option<&(Instant, Time)>) -> Option<Instant> {
    let is_one_day = |time: &Time| time.is_date && end.is_none_or(|(_, end)| end == time);
    match start.filter(|(_, time)| is_one_day(time)) {
        Some((_, time)) => Some(time.zone.midnight(time.civil.date().succ_opt()?)),
        None => end.map(|(at, _)| *at),
    }
}

fn key_of(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase().replace('-', "_")
}

fn text(text: String) -> Value<'static> {
    Value::text(text, 0)
}

#[cfg(test)]
mod tests;
