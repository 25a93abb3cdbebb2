//! What the fields of a line mean, whatever its format: the contract's three families of records.

use super::*;

const T: &str = "time=2025-11-10T13:10:00Z";

/// A line of the form "time=... rest" in a source without `match`.
fn check(rest: &str, want: &str) {
    logfmt().check(&format!("{T} {rest}"), &want.replace('@', "2025-11-10T13:10:00Z"));
}

#[test]
fn run_lines() {
    check("event=started procedure=p", "started @ procedure=p");
    check(
        "event=started procedure=p service=s run_id=r change_id=c trigger=manual phase=x outcome=ok",
        "started @ procedure=p service=s run_id=r change_id=c trigger=manual phase=x outcome=ok",
    );
    check("event=started", "missing_procedure");
    check("event=started run_id=r", "missing_procedure");
    for event in ["phase", "paused", "resumed", "finished", "failed", "aborted", "verified"] {
        check(&format!("event={event} run_id=r"), &format!("{event} @ run_id=r"));
        check(&format!("event={event} procedure=p"), &format!("{event} @ procedure=p"));
        check(&format!("event={event} change_id=c"), "missing_procedure");
    }
    check("event=approved change_id=c", "approved @ change_id=c");
    check("event=approved run_id=r", "approved @ run_id=r");
    check("event=approved procedure=p", "missing_change_id");
}

#[test]
fn our_words_pass_in_any_case_and_theirs_are_translated() {
    check("event=STARTED procedure=P", "started @ procedure=P");
    check("event=Finished run_id=r trigger=API", "finished @ run_id=r trigger=api");
    check("event=begun procedure=p", "unknown_event");
    check("event=started procedure=p trigger=cosmic", "started @ procedure=p");
    check("status=In-Process change_id=c", "in-process @ change_id=c");
    check("status=maybe change_id=c", "unknown_status");
    check(
        "status=tentative change_id=c change_type=Emergency",
        "tentative @ change_id=c type=emergency",
    );
    check("status=tentative change_id=c change_type=odd", "tentative @ change_id=c type=normal");
    let theirs = logfmt()
        .value(Field::Event, "BEGIN", "started")
        .value(Field::Event, "Finished", "failed")
        .value(Field::Trigger, "cron", "schedule")
        .value(Field::Status, "OK", "confirmed")
        .value(Field::ChangeType, "P1", "emergency")
        .value(Field::Service, "mx", "atlas")
        .value(Field::Procedure, "old", "new");
    for (rest, want) in [
        ("event=BEGIN procedure=p trigger=cron", "started @ procedure=p trigger=schedule"),
        ("event=begin procedure=p", "unknown_event"),
        ("event=Started procedure=p", "started @ procedure=p"),
        ("event=Finished run_id=r", "failed @ run_id=r"),
        ("event=finished run_id=r", "finished @ run_id=r"),
        ("event=started procedure=old service=mx", "started @ procedure=new service=atlas"),
        ("status=OK change_id=c change_type=P1", "confirmed @ change_id=c type=emergency"),
    ] {
        theirs.check(&format!("{T} {rest}"), &want.replace('@', "2025-11-10T13:10:00Z"));
    }
}

#[test]
fn empty_values_are_missing() {
    check("event=started procedure=p run_id= change_id=\"\" service=null", "started @ procedure=p");
    check("event=started procedure=\"  \"", "missing_procedure");
    check("event=started procedure=\" p \"", "started @ procedure=p");
    check("event= status=confirmed change_id=c", "confirmed @ change_id=c");
    check("event=\"\" status=", "ignored");
    check("event=started procedure=p procedure=q", "started @ procedure=q");
    check("event=started procedure=p procedure=", "missing_procedure");
    logfmt().check("time= event=started procedure=p", "missing_time");
}

#[test]
fn change_notices() {
    check("status=confirmed change_id=c", "confirmed @ change_id=c");
    check(
        "status=confirmed change_id=c revision=2 procedure=p service=s change_type=standard \
         planned_start=2025-11-11T22:30:00Z planned_end=1762907400",
        "confirmed @ procedure=p service=s change_id=c revision=2 type=standard \
         from=2025-11-11T22:30:00Z to=2025-11-12T00:30:00Z",
    );
    check("status=confirmed", "missing_change_id");
    check("status=confirmed run_id=r procedure=p", "missing_change_id");
    check("status=confirmed change_id=c revision=3.0", "confirmed @ change_id=c revision=3");
    for revision in ["-1", "1.5", "v2", "99999999999999999999", "1e99"] {
        check(&format!("status=confirmed change_id=c revision={revision}"), "bad_revision");
    }
    let largest = u64::MAX;
    check(
        &format!("status=confirmed change_id=c revision={largest}"),
        &format!("confirmed @ change_id=c revision={largest}"),
    );
    check("status=confirmed change_id=c planned_start=soon", "bad_time");
    check("status=confirmed change_id=c planned_end=0000-01-01T00:00:00Z", "time_out_of_range");
    check(
        "status=cancelled change_id=c planned_end=2025-11-11T22:30:00Z",
        "cancelled @ change_id=c to=2025-11-11T22:30:00Z",
    );
}

#[test]
fn an_event_goes_before_a_status() {
    check("event=finished status=success run_id=r", "finished @ run_id=r");
    check(
        "event=started status=confirmed change_id=c procedure=p",
        "started @ procedure=p change_id=c",
    );
    check("event=nonsense status=confirmed change_id=c", "unknown_event");
}

#[test]
fn one_line_finished_runs() {
    let one = |rest: &str, want: &str| check(&format!("procedure=p {rest}"), want);
    one(
        "event=finished start=2025-11-10T12:00:00Z",
        "finished @ procedure=p whole=2025-11-10T12:00:00Z/@",
    );
    one(
        "event=failed start=2025-11-10T12:00:00Z end=2025-11-10T13:00:00Z",
        "failed @ procedure=p whole=2025-11-10T12:00:00Z/2025-11-10T13:00:00Z",
    );
    one("event=aborted duration=600", "aborted @ procedure=p whole=2025-11-10T13:00:00Z/@");
    one("event=finished duration=1h10m", "finished @ procedure=p whole=2025-11-10T12:00:00Z/@");
    one(
        "event=finished duration=\"01:10:00.5\"",
        "finished @ procedure=p whole=2025-11-10T11:59:59.500Z/@",
    );
    one(
        "event=finished duration=600 end=2025-11-10T13:00:00Z",
        "finished @ procedure=p whole=2025-11-10T12:50:00Z/2025-11-10T13:00:00Z",
    );
    // A start says it all; a bad duration beside it is not needed.
    one(
        "event=finished start=2025-11-10T12:00:00Z duration=-5",
        "finished @ procedure=p whole=2025-11-10T12:00:00Z/@",
    );
    // By another clock the end may come before the start.
    one("event=finished duration=-5", "finished @ procedure=p whole=2025-11-10T13:10:05Z/@");
    one(
        "event=finished duration=\"-1m 0.5s\"",
        "finished @ procedure=p whole=2025-11-10T13:11:00.500Z/@",
    );
    one("event=finished duration=--5", "bad_duration");
    one("event=finished duration=-", "bad_duration");
    one("event=finished duration=soon", "bad_duration");
    one("event=finished start=soon", "bad_time");
    one("event=finished duration=600 end=soon", "bad_time");
    // Without start and duration the end says nothing; neither do they in a line that ends nothing.
    one("event=finished end=soon", "finished @ procedure=p");
    one("event=started start=soon duration=x end=y", "started @ procedure=p");
    check("event=finished duration=600", "missing_procedure");
    check("event=finished duration=0 run_id=r", "finished @ run_id=r whole=@/@");
}

#[test]
fn a_finished_run_may_take_its_end_as_stamp() {
    let end = "event=finished procedure=p end=2025-11-10T13:00:00Z";
    logfmt().check(
        &format!("{end} start=2025-11-10T12:00:00Z"),
        "finished 2025-11-10T13:00:00Z procedure=p whole=2025-11-10T12:00:00Z/2025-11-10T13:00:00Z",
    );
    logfmt().check(
        &format!("{end} duration=60"),
        "finished 2025-11-10T13:00:00Z procedure=p whole=2025-11-10T12:59:00Z/2025-11-10T13:00:00Z",
    );
    logfmt().check(end, "missing_time");
    logfmt().check("event=finished procedure=p start=2025-11-10T12:00:00Z", "missing_time");
    logfmt().check("event=started procedure=p end=2025-11-10T12:00:00Z", "missing_time");
    logfmt().check(&format!("{end} duration=60 time=soon"), "bad_time");
    let first_year = "time=0001-01-01T00:00:10Z event=finished procedure=p";
    logfmt().check(&format!("{first_year} duration=11"), "time_out_of_range");
    logfmt().check(
        &format!("{first_year} duration=10"),
        "finished 0001-01-01T00:00:10Z procedure=p whole=0001-01-01T00:00:00Z/0001-01-01T00:00:10Z",
    );
}

#[test]
fn without_match_other_lines_are_ignored() {
    for line in ["", "  ", "\t\r\n", "\0\0\0", "msg=heartbeat", "phase=x procedure=p run_id=r", T] {
        logfmt().check(line, "ignored");
    }
    logfmt().check("q=\"unended", "ignored");
    logfmt().check(&format!("{T} event=started procedure=\"torn li"), "syntax");
    logfmt().check(&format!("{T} status=confirmed change_id=\"torn li"), "syntax");
}

#[test]
fn with_match_other_lines_are_rejected() {
    let keyed = logfmt().matching(Some("msg"), &["maintenance task"]);
    let task = "msg=\"maintenance task\"";
    keyed.check(task, "missing_event");
    keyed.check(&format!("{task} state=STARTED"), "missing_event");
    keyed.check("msg=\"maintenance task", "syntax");
    keyed.check("msg=\"maintenance task, or", "ignored");
    keyed.check(&format!("{task} event=started procedure=p"), "missing_time");
    keyed.check(&format!("{task} event=started procedure=\"p"), "syntax");
    keyed.check("msg=maintenance event=started", "ignored");
    keyed.check(&format!("{task} msg=heartbeat event=started"), "ignored");
    keyed.check("note=\"maintenance task\" event=started", "ignored");
    keyed.check("", "ignored");
    let loose = logfmt().matching(None, &["maintenance", "change"]);
    loose.check("a maintenance line", "missing_event");
    loose.check("a heartbeat", "ignored");
}

#[test]
fn times_follow_the_zone_and_the_form_of_the_source() {
    let london = logfmt().zone("Europe/London");
    london.check(
        "time=2025-07-10T13:10:00 event=started procedure=p",
        "started 2025-07-10T12:10:00Z procedure=p",
    );
    let german = logfmt().zone("Europe/Berlin").time_format("%d.%m.%Y %H:%M:%S");
    german.check(
        "time=\"10.11.2025 14:10:00\" status=confirmed change_id=c planned_start=2025-11-11T22:30:00Z \
         planned_end=\"12.11.2025 01:30:00\"",
        "confirmed 2025-11-10T13:10:00Z change_id=c from=2025-11-11T22:30:00Z to=2025-11-12T00:30:00Z",
    );
    german.check("time=2025-11-10T13:10:00Z event=started procedure=p", "bad_time");
}

#[test]
fn a_fold_is_marked_and_follows_the_file() {
    let reader = logfmt().zone("Europe/London").reader();
    let with = |last: Option<&str>| FileState { last: last.map(utc), ..FileState::default() };
    let line = "time=\"2025-10-26 01:30:00\" event=started procedure=p";
    for (last, want) in [
        (None, "started 2025-10-26T00:30:00Z? procedure=p"),
        (Some("2025-10-26T00:31:00Z"), "started 2025-10-26T00:30:00Z? procedure=p"),
        (Some("2025-10-26T00:45:00Z"), "started 2025-10-26T01:30:00Z? procedure=p"),
        (Some("2025-10-26T02:45:00Z"), "started 2025-10-26T00:30:00Z? procedure=p"),
    ] {
        assert_eq!(read(&reader, line, &with(last)), want);
    }
    let stamp = |last| reader.stamp(line.as_bytes(), &with(last), near()).map(rfc3339);
    assert_eq!(stamp(None).as_deref(), Some("2025-10-26T00:30:00Z"));
    assert_eq!(stamp(Some("2025-10-26T00:45:00Z")).as_deref(), Some("2025-10-26T01:30:00Z"));
    // Planned times, starts and ends take the earlier reading, and go forward in a gap.
    let file = with(Some("2025-10-26T00:45:00Z"));
    for (line, want) in [
        (
            "time=2025-10-26T00:50:00Z status=confirmed change_id=c \
             planned_start=2025-10-26T01:30:00 planned_end=2026-03-29T01:30:00",
            "confirmed 2025-10-26T00:50:00Z change_id=c from=2025-10-26T00:30:00Z to=2026-03-29T01:30:00Z",
        ),
        (
            "time=2025-10-26T00:50:00Z event=finished procedure=p start=2025-10-26T01:30:00",
            "finished 2025-10-26T00:50:00Z procedure=p whole=2025-10-26T00:30:00Z/2025-10-26T00:50:00Z",
        ),
        (
            "event=finished procedure=p duration=60 end=2025-10-26T01:30:00",
            "finished 2025-10-26T01:30:00Z? procedure=p whole=2025-10-26T01:29:00Z/2025-10-26T01:30:00Z",
        ),
    ] {
        assert_eq!(read(&reader, line, &file), want);
    }
}

#[test]
fn times_without_a_year_go_by_the_stamp_of_their_line() {
    let reader = logfmt().reader();
    // Read on 10 November 2025.
    for (line, want) in [
        (
            "time=\"Feb  1 09:00:00\" status=confirmed change_id=c \
             planned_start=\"Feb  3 22:00:00\" planned_end=\"Feb  4 02:00:00\"",
            "confirmed 2025-02-01T09:00:00Z change_id=c from=2025-02-03T22:00:00Z to=2025-02-04T02:00:00Z",
        ),
        (
            "time=2024-12-28T09:00:00Z status=confirmed change_id=c \
             planned_start=\"Dec 31 23:00:00\" planned_end=\"Jan  1 02:00:00\"",
            "confirmed 2024-12-28T09:00:00Z change_id=c from=2024-12-31T23:00:00Z to=2025-01-01T02:00:00Z",
        ),
        (
            "time=2024-01-01T00:10:00Z event=finished procedure=p start=\"Dec 31 23:50:00\"",
            "finished 2024-01-01T00:10:00Z procedure=p whole=2023-12-31T23:50:00Z/2024-01-01T00:10:00Z",
        ),
    ] {
        assert_eq!(read(&reader, line, &FileState::default()), want);
    }
}

#[test]
fn the_stamp_of_any_line_is_read() {
    let reader = logfmt().matching(Some("msg"), &["maintenance task"]).reader();
    for (line, want) in [
        ("time=2025-11-10T13:10:00Z msg=heartbeat", Some("2025-11-10T13:10:00Z")),
        ("time=2025-11-10T13:10:00Z msg=\"torn", Some("2025-11-10T13:10:00Z")),
        ("\u{feff}time=2025-11-10T13:10:00Z\r\n", Some("2025-11-10T13:10:00Z")),
        ("msg=heartbeat", None),
        ("time=soon", None),
        ("", None),
    ] {
        let found = reader.stamp(line.as_bytes(), &FileState::default(), near());
        assert_eq!(found.map(rfc3339).as_deref(), want, "{line}");
    }
}

#[test]
fn rejections_say_what_where_and_what_else() {
    let source =
        logfmt().value(Field::Event, "GO", "started").value(Field::Event, "BYE", "finished");
    let detail = |line: &str| match source.clone().reader().read(
        line.as_bytes(),
        &FileState::default(),
        near(),
    ) {
        Reading::Rejected(rejection) => rejection.detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        detail("event=STRATED"),
        "event \"STRATED\" is not one of started, phase, paused, resumed, finished, failed, aborted, \
         verified, approved, BYE, GO"
    );
    assert_eq!(
        detail("time=soon event=started procedure=p"),
        "time \"soon\" is not an rfc 3339, rfc 2822, syslog or epoch time stamp"
    );
    assert_eq!(detail("event=finished run_id=r"), "the line has no time");
    assert_eq!(detail("event=started"), "a line with event started needs a procedure");
    let long = detail(&format!("event=\"{}\"", "x\u{7}".repeat(10_000)));
    assert!(long.len() <= 400 && long.contains('…') && !long.contains('\u{7}'), "{long}");
    logfmt().check_rejected("a=b event=STRATED", Reason::UnknownEvent, 11);
    logfmt().check_rejected("a=b event=\"  STRATED\"", Reason::UnknownEvent, 14);
    logfmt().check_rejected("\u{feff}event=STRATED", Reason::UnknownEvent, 10);
    logfmt().check_rejected("\u{1b}[1mevent=STRATED", Reason::UnknownEvent, 0);
    logfmt().check_rejected("time=soon event=failed run_id=r", Reason::BadTime, 6);
    logfmt().check_rejected("event=failed run_id=r", Reason::MissingTime, 0);
    logfmt().check_rejected("event=failed q=\"x", Reason::Syntax, 16);
}

#[test]
fn names_have_a_limit_and_remarks_are_cut() {
    let (fits, too_long) = ("n".repeat(1_024), "n".repeat(1_025));
    let reader = logfmt().reader();
    for key in ["procedure", "service", "run_id", "change_id"] {
        let line = |name: &str| {
            format!("time=2025-11-10T13:10:00Z event=finished {key}={name} procedure=p")
        };
        let line = |name: &str| match key {
            "procedure" => line(name).replace(" procedure=p", ""),
            _ => line(name),
        };
        let read = |name: &str| read(&reader, &line(name), &FileState::default());
        assert!(read(&fits).starts_with("finished"), "{key}");
        assert_eq!(read(&too_long), "bad_value", "{key}");
    }
    let json = json_source().reader();
    let line = format!(
        r#"{{"time":"2025-11-10T13:10:00Z","event":"started","procedure":"p","service":["a","{too_long}"]}}"#
    );
    assert_eq!(read(&json, &line, &FileState::default()), "bad_value");
    // An end is not refused for what somebody wrote beside it.
    let line = format!("time=2025-11-10T13:10:00Z event=finished run_id=1 outcome={too_long}");
    let Reading::Event(event) =
        reader.read(line.as_bytes(), &FileState::default(), Instant::MIN_UTC)
    else {
        panic!("{line}");
    };
    let Body::Run(run) = event.body else { panic!("{line}") };
    let outcome = run.outcome.expect("an outcome");
    assert!(outcome.len() <= 1_024 && outcome.ends_with('…'), "{}", outcome.len());
}
