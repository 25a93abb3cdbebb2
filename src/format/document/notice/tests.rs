//! Rows: what stands in an event, and what is understood of it.

use super::*;

/// Each event as its values, or why it is refused.
fn told(text: &str) -> Result<Vec<String>, String> {
    let zone = Zone::find("Europe/Vienna").unwrap();
    let one = |(key, value): &(String, Value)| match value {
        Value::Text { text, .. } => format!("{key}={text}"),
        Value::List { texts, .. } => format!("{key}=[{}]", texts.join("|")),
        other => format!("{key}={other:?}"),
    };
    let found = notices(text.as_bytes(), &zone).map_err(|r| r.detail)?;
    let event = |notice: Notice| match notice.values {
        Ok(None) => "none of ours".to_owned(),
        Ok(Some(values)) => values.iter().map(one).collect::<Vec<_>>().join(" "),
        Err(rejection) => format!("{}: {}", rejection.reason, rejection.detail),
    };
    Ok(found.into_iter().map(event).collect())
}

fn calendar(event: &str) -> String {
    format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n")
}

fn check(event: &str, want: &str) {
    assert_eq!(told(&calendar(event)).unwrap(), [want], "{event}");
}

const ID: &str = "X-MAINTNOTE-MAINTENANCE-ID:W1";

#[test]
fn an_event_is_read_as_a_person_reads_it() {
    check("SUMMARY:Lunch\nDTSTART:20260301T120000Z", "none of ours");
    check(ID, "maintenance_id=W1 object=[] partstat=[]");
    check(
        &format!(
            "{ID}\nSTATUS:TENTATIVE\nX-MAINTNOTE-STATUS:CONFIRMED\nSEQUENCE:3\nX-MAINTNOTE-OBJECT-ID;X-MAINTNOTE-OBJECT-IMPACT=\"OUTAGE\":a\nX-MAINTNOTE-OBJECT-ID:b\\, c"
        ),
        "sequence=3 maintenance_id=W1 status=CONFIRMED object_id=a object_id=b, c object=[a|b, c] partstat=[]",
    );
    check(
        &format!("{ID}\nATTENDEE;PARTSTAT=ACCEPTED;CN=NOC:mailto:noc@example.net"),
        "attendee=mailto:noc@example.net maintenance_id=W1 object=[] partstat=[ACCEPTED]",
    );
    let head = "maintenance_id=W1 object=[] partstat=[] dtstart=2026-03-01T";
    for (times, want) in [
        (
            "DTSTART;VALUE=DATE-TIME:20260301T080000Z\nDTEND:20260301T100000Z",
            "08:00:00Z dtend=2026-03-01T10:00:00Z",
        ),
        ("DTSTART:20260301T080000\nDTEND:20260301T100000", "07:00:00Z dtend=2026-03-01T09:00:00Z"),
        (
            "DTSTART;TZID=America/New_York:20260301T080000\nDURATION:PT2H",
            "13:00:00Z dtend=2026-03-01T15:00:00Z",
        ),
    ] {
        let event = format!("{ID}\n{times}");
        let (text, duration) = (told(&calendar(&event)).unwrap().remove(0), "duration=PT2H ");
        assert_eq!(text.replace(duration, ""), format!("{head}{want}"), "{times}");
    }
}

#[test]
fn a_day_without_an_end_or_with_one_on_itself_is_a_day() {
    // In Vienna, where the clocks of times without a zone are.
    let want = "maintenance_id=W1 object=[] partstat=[] dtstart=2026-02-28T23:00:00Z dtend=2026-03-01T23:00:00Z";
    check(&format!("{ID}\nDTSTART;VALUE=DATE:20260301"), want);
    check(&format!("{ID}\nDTSTART:20260301\nDTEND:20260301"), want);
    check(&format!("{ID}\nDTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260302"), want);
    let two =
        want.replace("maintenance_id", "duration=P2D maintenance_id").replace("03-01T", "03-02T");
    check(&format!("{ID}\nDTSTART;VALUE=DATE:20260301\nDURATION:P2D"), &two);
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_sentence() {
    let start = format!("{ID}\nDTSTART:20260301T080000Z");
    check(
        &start,
        "bad_plan: the notice has a DTSTART but no DTEND: nobody knows when it is to end",
    );
    assert!(
        told(&calendar(&format!("{start}\nX-MAINTNOTE-STATUS:CANCELLED"))).unwrap()[0]
            .contains("dtstart=")
    );
    check(
        &format!("{start}\nDURATION:soon"),
        "bad_duration: DURATION: \"soon\" is not a length such as PT2H",
    );
    let unknown =
        told(&calendar(&format!("{ID}\nDTSTART;TZID=Mars/Base:20260301T080000"))).unwrap();
    assert!(unknown[0].starts_with("bad_time: DTSTART: unknown time zone"), "{unknown:?}");
    let half = calendar(&start).replace("END:VEVENT\nEND:VCALENDAR\n", "");
    assert!(told(&half).unwrap_err().ends_with("has no END"));
    assert!(told("hello").unwrap_err().starts_with("neither an iCalendar"));
}

#[test]
fn calendars_are_found_in_mails_however_they_are_packed() {
    let plain = calendar(ID);
    let packed = "QkVHSU46VkNBTEVOREFSCkJFR0lOOlZFVkVOVApYLU1BSU5UTk9URS1NQUlOVEVOQU5DRS1JRDpX\nMQpFTkQ6VkVWRU5UCkVORDpWQ0FMRU5EQVIK\n";
    let head = "From: noc@example.net\nSubject: Maintenance\nMIME-Version: 1.0\n";
    let parts = format!(
        "{head}Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nHello\n--x\nContent-Type: text/calendar; charset=utf-8\n\n{plain}\n--x\nContent-Type: application/ics; name=a.ics\nContent-Transfer-Encoding: base64\n\n{packed}\n--x--\n"
    );
    let alone = format!("{head}Content-Type: text/calendar\n\n{plain}");
    let inner = format!("{head}Content-Type: message/rfc822\n\n{alone}");
    let found = "maintenance_id=W1 object=[] partstat=[]";
    for (mail, count) in [(parts, 2), (alone, 1), (inner, 1), (format!("{head}\nHello\n"), 0)] {
        let want = if count == 0 { vec!["none of ours"] } else { vec![found; count] };
        assert_eq!(told(&mail).unwrap(), want, "{mail}");
    }
}

#[test]
fn a_broken_part_of_a_mail_is_told_and_spoils_no_other() {
    let plain = calendar(ID);
    let half = plain.replace("END:VEVENT\nEND:VCALENDAR\n", "");
    let mail = format!(
        "From: noc@example.net\nSubject: Maintenance\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/calendar\n\n{half}\n--x\nContent-Type: text/calendar\nContent-Transfer-Encoding: base64\n\nQkVH!!\n--x\nContent-Type: text/calendar\n\n{plain}\n--x--\n"
    );
    let said = told(&mail).unwrap();
    assert!(said[0].starts_with("syntax: ") && said[0].ends_with("has no END"), "{said:?}");
    assert!(said[1].starts_with("syntax: a part of type text/calendar that is none"), "{said:?}");
    assert_eq!(said[2..], ["maintenance_id=W1 object=[] partstat=[]"]);
}

#[test]
fn an_answer_says_which_event_it_is_about_and_how() {
    let event = "UID:a\nSEQUENCE:1\nDTSTAMP:20260302T080000Z\nDTSTART:20260310T220000Z\nATTENDEE;PARTSTAT=ACCEPTED:mailto:us@example.net";
    let reply = calendar(event).replace("BEGIN:VEVENT", "METHOD:REPLY\nBEGIN:VEVENT");
    let want = "uid=a sequence=1 partstat=[ACCEPTED] dtstamp=2026-03-02T08:00:00Z";
    assert_eq!(told(&reply).unwrap(), [want]);
    check(event, "none of ours");
}

#[test]
fn an_event_that_is_called_off_is_cancelled_whatever_else_it_says() {
    let event = "UID:a\nSEQUENCE:2\nDTSTAMP:20260302T080000Z\nDTSTART:20260310T220000Z";
    let cancel =
        |event: &str| calendar(event).replace("BEGIN:VEVENT", "METHOD:CANCEL\nBEGIN:VEVENT");
    let status = format!("{event}\nSTATUS:Cancelled");
    let want = "uid=a sequence=2 partstat=[] dtstamp=2026-03-02T08:00:00Z status=CANCELLED";
    assert_eq!(told(&cancel(event)).unwrap(), [want]);
    check(&status, want);
    // A notice that says it is confirmed, without an end.
    for text in [
        cancel(&format!("{event}\n{ID}\nX-MAINTNOTE-STATUS:CONFIRMED")),
        calendar(&format!("{status}\n{ID}\nX-MAINTNOTE-STATUS:CONFIRMED")),
        calendar(&format!("{status}\n{ID}")),
    ] {
        let said = told(&text).unwrap();
        assert!(said[0].ends_with("status=CANCELLED"), "{said:?}");
    }
    // Who answers calls nothing off, and the state of an event of others is nothing to us.
    let reply = calendar(&status).replace("BEGIN:VEVENT", "METHOD:REPLY\nBEGIN:VEVENT");
    assert!(!told(&reply).unwrap()[0].contains("status="));
    check(&format!("{event}\nSTATUS:CONFIRMED"), "none of ours");
}

#[test]
fn a_closed_calendar_need_not_be_waited_for() {
    for (text, want) in [
        (calendar(ID), true),
        (calendar(ID).to_lowercase(), true),
        ("END:VCALENDAR".into(), false),
        ("BEGIN:VCALENDAR\n".into(), false),
    ] {
        assert_eq!(is_whole_notice(text.as_bytes()), want, "{text}");
    }
}
