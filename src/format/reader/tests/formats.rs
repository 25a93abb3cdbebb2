//! What is particular to one format, through the whole reader.

use super::*;

const STARTED: &str = "started 2025-11-10T13:10:00Z procedure=p";

#[test]
fn json_lines() {
    let json = json_source()
        .map(Field::Event, "m.state")
        .map(Field::Procedure, "m.task")
        .map(Field::Service, "targets");
    let line = |rest: &str| format!(r#"{{"time":"2025-11-10T13:10:00Z",{rest}}}"#);
    let check = |rest: &str, want: &str| json.check(&line(rest), want);
    check(r#""m":{"state":"STARTED","task":"p"}"#, STARTED);
    check(r#""m.state":"STARTED","m.task":"p""#, STARTED);
    check(
        r#""m":{"state":"STARTED","task":7},"run_id":12345678901234567890,"phase":true"#,
        "started 2025-11-10T13:10:00Z procedure=7 run_id=12345678901234567890 phase=true",
    );
    check(
        r#""m":{"state":"STARTED","task":"p"},"targets":["a","b","a"," ","b","c"]"#,
        "started 2025-11-10T13:10:00Z procedure=p service=a,b,c",
    );
    check(
        r#""m":{"state":"STARTED","task":"p"},"targets":"a""#,
        "started 2025-11-10T13:10:00Z procedure=p service=a",
    );
    for targets in [r#"{"a":1}"#, r#"["a",["b"]]"#, r#"[{}]"#] {
        check(&format!(r#""m":{{"state":"STARTED","task":"p"}},"targets":{targets}"#), "bad_value");
    }
    check(r#""m":{"state":"STARTED","task":["p"]}"#, "bad_value");
    check(r#""m":{"state":["STARTED"],"task":"p"}"#, "bad_value");
    check(r#""m":{"state":null,"task":"p"}"#, "ignored");
    check(r#""m":"STARTED""#, "ignored");
    // What only bears our name by chance may be anything.
    check(r#""m":{"state":"STARTED","task":"p"},"outcome":{"code":0},"phase":[]"#, STARTED);
    json_source().check(&line(r#""event":{"kind":"started"},"status":[1]"#), "ignored");
    json.check("{\"m\":", "syntax");
    json.check("plain text", "syntax");
    json.check(&format!("{} x", line(r#""a":1"#)), "syntax");
    json.check_rejected(&line(r#""m":{"state":"STRATED"}"#), Reason::UnknownEvent, 46);
    let epoch = r#"{"time":1762780200.5,"m":{"state":"finished"},"run_id":"r","duration":0.5}"#;
    json.check(epoch,
        "finished 2025-11-10T13:10:00.500Z run_id=r whole=2025-11-10T13:10:00Z/2025-11-10T13:10:00.500Z");
}

#[test]
fn broken_json_that_match_asks_for_is_rejected() {
    let json = json_source().matching(Some("ctx.msg"), &["task", "change/note"]);
    for (line, want) in [
        (r#"{"ctx":{"msg":"task"},"event":"star"#, "syntax"),
        (r#"{"ctx":{"msg" : "task"#, "syntax"),
        (r#"a":1,"ctx":{"msg":"task"}}"#, "syntax"),
        (r#"{"a":oops,"msg":"task"}"#, "syntax"),
        (r#"{"a":oops,"msg":"change/note"}"#, "syntax"),
        (r#"{"a":oops,"note":"task"}"#, "ignored"),
        (r#"{"a":oops,"omsg":"task"}"#, "ignored"),
        (r#"{"a":oops,"msg":"tasks"}"#, "ignored"),
        (r#"{"a":oops,"msg":"a task"}"#, "ignored"),
        ("a task of text", "ignored"),
        (r#"{"ctx":{"msg":"change\/note"}}"#, "missing_event"),
        (r#"{"ctx":{"msg":["x","task"]}}"#, "missing_event"),
        (r#"{"ctx":{"msg":"other"},"msg":"task"}"#, "ignored"),
        (r#"{"ctx":{"msg":"task"},"ctx":{"msg":"other"}}"#, "ignored"),
    ] {
        json.check(line, want);
        let passes = json.clone().reader().passes(line.as_bytes(), &FileState::default());
        assert_eq!(passes, want != "ignored", "{line}");
    }
}

#[test]
fn syslog_lines() {
    let syslog = source(Format::Syslog)
        .map(Field::Event, "m@32473.state")
        .map(Field::Procedure, "m@32473.task")
        .map(Field::RunId, "proc_id");
    syslog.check(
        "<13>1 2025-11-10T13:10:00Z h a 42 - [m@32473 state=\"STARTED\" task=\"p\"] text",
        "started 2025-11-10T13:10:00Z procedure=p run_id=42",
    );
    syslog.check("<13>1 2025-11-10T13:10:00Z h a 42 - - text", "ignored");
    syslog.check("<13>1 - h a 42 - [m@32473 state=\"STARTED\" task=\"p\"]", "missing_time");
    syslog.check("plain text", "syntax");
    syslog.check("", "ignored");
}

#[test]
fn the_free_text_of_syslog_has_a_format_too() {
    let logfmt = source(Format::Syslog).message(MessageFormat::Logfmt).zone("Europe/London");
    let mapped = logfmt.clone().map(Field::Time, "at");
    let message = "event=started procedure=p";
    logfmt.check(&format!("<13>1 2025-11-10T13:10:00Z h a - - - \u{feff}{message}"), STARTED);
    logfmt.check(&format!("Nov 10 13:10:00 h a[1]: {message}"), STARTED);
    logfmt.check(
        &format!("Jul 10 14:10:00 h a: {message}"),
        "started 2025-07-10T13:10:00Z procedure=p",
    );
    logfmt.check(&format!("2025-11-10T14:10:00+01:00 h a: {message}"), STARTED);
    // The header's stamp is the line's, whatever the text calls time; unless the configuration says so.
    logfmt.check(&format!("Nov 10 13:10:00 h a: {message} time=12ms"), STARTED);
    mapped.check(&format!("Nov 10 13:10:59 h a: {message} at=2025-11-10T13:10:00Z"), STARTED);
    mapped.check(&format!("Nov 10 13:10:59 h a: {message}"), "missing_time");
    logfmt.check(&format!("1 - h a - - - {message} time=2025-11-10T13:10:00Z"), STARTED);
    logfmt
        .clone()
        .map(Field::Time, "timestamp")
        .time_format("epoch_s")
        .check(&format!("Nov 10 13:10:00 h a: {message}"), STARTED);
    logfmt.check_rejected("Nov 10 13:10:00 h a: event=STRATED", Reason::UnknownEvent, 28);
    logfmt.check_rejected("Nov 10 13:10:00 h a: event=failed x=\"", Reason::Syntax, 37);

    let json = source(Format::Syslog).message(MessageFormat::Json);
    json.check("Nov 10 13:10:00 h a: {\"event\":\"started\",\"procedure\":\"p\"}", STARTED);
    json.check_rejected("Nov 10 13:10:00 h a: {\"event\":", Reason::Syntax, 31);
    json.check("Nov 10 13:10:00 h kernel: oops", "ignored");
    logfmt.check("Nov 10 13:10:00 h kernel: oops=\"", "ignored");

    let pattern = compile(r"^(?P<event>\w+) of (?P<procedure>\w+)").unwrap();
    let regex = source(Format::Syslog).message(MessageFormat::Regex(pattern));
    regex.check("Nov 10 13:10:00 h a: started of p", STARTED);
    regex.check("Nov 10 13:10:00 h a: hello", "ignored");
    regex.clone().matching(None, &["hello"]).check("Nov 10 13:10:00 h a: hello", "no_match");
}

#[test]
fn syslog_lines_pass_by_header_text_or_message() {
    let line = "<13>1 2025-11-10T13:10:00Z h task - - [x y=\"task\"] msg=task";
    let broken = "2025-11-10 h msg=task";
    for (key, want, want_broken) in [
        (Some("app_name"), true, false),
        (Some("x.y"), true, false),
        (Some("msg"), true, true),
        (Some("message"), false, false),
        (Some("hostname"), false, false),
        (None, true, true),
    ] {
        let reader =
            source(Format::Syslog).message(MessageFormat::Logfmt).matching(key, &["task"]).reader();
        assert_eq!(reader.passes(line.as_bytes(), &FileState::default()), want, "{key:?}");
        assert_eq!(reader.passes(broken.as_bytes(), &FileState::default()), want_broken, "{key:?}");
    }
}

#[test]
fn csv_lines() {
    let csv = source(Format::Csv { delimiter: b';' }).map(Field::Event, "Ereignis");
    let reader = csv.clone().reader();
    assert!(reader.needs_header() && !logfmt().reader().needs_header());
    let header = "\u{feff}time;Ereignis;procedure;service\r\n";
    let file = FileState::with_header(&reader, header.as_bytes()).unwrap();
    assert_eq!(file.header.as_deref(), Some("time;Ereignis;procedure;service"));
    for (line, want) in [
        ("2025-11-10T13:10:00Z;started;p", STARTED),
        ("2025-11-10T13:10:00Z;\"started\";\"p\";\r", STARTED),
        (
            "2025-11-10T13:10:00Z;started;p;a;b",
            "started 2025-11-10T13:10:00Z procedure=p service=a",
        ),
        ("2025-11-10T13:10:00Z;started", "missing_procedure"),
        ("2025-11-10T13:10:00Z;started;\"p", "syntax"),
        ("2025-11-10T13:10:00Z;;\"p", "ignored"),
        ("2025-11-10T13:10:00Z;;p", "ignored"),
        (header, "ignored"),
    ] {
        assert_eq!(read(&reader, line, &file), want, "{line}");
    }
    csv.check("2025-11-10T13:10:00Z;started;p", "missing_header");
    let keyed = csv.matching(Some("service"), &["a", "b"]);
    keyed.check("2025-11-10T13:10:00Z;started;p;a", "missing_header");
    keyed.check("2025-11-10T13:10:00Z;stopped;p;c", "ignored");
    let reader = keyed.reader();
    let file = FileState::with_header(&reader, header.as_bytes()).unwrap();
    let passes = |line: &str| reader.passes(line.as_bytes(), &file);
    assert!(passes("2025-11-10T13:10:00Z;started;p;a"));
    assert!(passes("2025-11-10T13:10:00Z;started;p;\"b\""));
    assert!(!passes("2025-11-10T13:10:00Z;started;a;c"));
}

#[test]
fn csv_headers_are_checked() {
    let reader = source(Format::Csv { delimiter: b',' }).reader();
    for (header, want) in [
        ("time,event", None),
        ("status,time,x,x", None),
        ("event,end,start", None),
        ("time,event,event", Some(12)),
        ("time,procedure", Some(0)),
        ("event,status", Some(0)),
        ("", Some(0)),
        ("time,\"event", Some(6)),
    ] {
        let found = FileState::with_header(&reader, header.as_bytes());
        let column = found.err().map(|rejection| {
            assert_eq!(rejection.reason, Reason::BadHeader);
            rejection.column.unwrap_or(0)
        });
        assert_eq!(column, want, "{header}");
    }
    for header in ["time,procedure", "time,\"event", "time,event,event"] {
        let refused = FileState::with_header(&reader, header.as_bytes()).unwrap_err();
        let file = FileState::without_header(header.as_bytes(), refused);
        assert_eq!(read(&reader, header, &file), "bad_header", "{header}");
        let line = "2025-11-10T13:10:00Z,started,p";
        assert_eq!(read(&reader, line, &file), "missing_header", "{header}");
        assert_eq!(read(&reader, "  ", &file), "ignored", "{header}");
    }
    let other = FileState::with_header(&logfmt().reader(), b"time,event").unwrap();
    assert_eq!(other, FileState::default());
}

#[test]
fn regex_lines() {
    let pattern = r"^(?P<time>\S+ \S+) (?P<host>\S+) (?P<what>\w+): (?P<procedure>.*)$";
    let regex = regex_source(compile(pattern).unwrap()).map(Field::Event, "what");
    regex.check("2025-11-10 13:10:00Z h STARTED: p", STARTED);
    regex.check("2025-11-10 13:10:00Z h STARTED: ", "missing_procedure");
    regex.check("2025-11-10 13:10:00Z h begun: p", "unknown_event");
    regex.check_rejected("2025-11-10 13:10:00Z h begun: p", Reason::UnknownEvent, 24);
    regex.check("Traceback:", "ignored");
    let keyed = regex.clone().matching(Some("host"), &["h"]);
    keyed.check("2025-11-10 13:10:00Z h STARTED: p", STARTED);
    keyed.check("2025-11-10 13:10:00Z x STARTED: h", "ignored");
    keyed.check("no line of ours: h", "ignored");
    regex.matching(None, &["h STARTED"]).check("x h STARTED", "no_match");
}

#[test]
fn bytes_are_made_readable() {
    let reader = logfmt().matching(Some("msg"), &["task"]).reader();
    let line = "time=2025-11-10T13:10:00Z msg=task event=started procedure=p";
    for (before, after, want) in [
        (&b""[..], &b""[..], STARTED),
        (b"\xef\xbb\xbf", b"\r\n", STARTED),
        (b"\0\0\0\0", b"\r", STARTED),
        (b"\x1b[32m", b"\x1b[0m", STARTED),
        (
            b"",
            b" run_id=\xff\xfe",
            "started 2025-11-10T13:10:00Z procedure=p run_id=\u{fffd}\u{fffd}",
        ),
        (b"", b" run_id=\xc3\xbc", "started 2025-11-10T13:10:00Z procedure=p run_id=\u{fc}"),
    ] {
        let bytes = [before, line.as_bytes(), after].concat();
        assert_eq!(show(&reader.read(&bytes, &FileState::default(), near())), want);
        assert!(reader.passes(&bytes, &FileState::default()));
    }
}

#[test]
fn a_header_that_cannot_be_used_is_told_once_whatever_match_asks_for() {
    let header = "time,procedure";
    let block = b"time,procedure\nx,started\nx,other\n";
    for (any, want) in [
        ("started", vec![0, 15]),
        ("time", vec![0]),
        ("procedure", vec![0]),
        ("other", vec![0, 25]),
        ("nothing", vec![0]),
    ] {
        let reader = source(Format::Csv { delimiter: b',' }).matching(None, &[any]).reader();
        let refused = FileState::with_header(&reader, header.as_bytes()).unwrap_err();
        let file = FileState::without_header(header.as_bytes(), refused);
        let found: Vec<usize> = reader.candidates(block, &file).map(|(at, _)| at).collect();
        assert_eq!(found, want, "{any}");
        assert_eq!(read(&reader, header, &file), "bad_header", "{any}");
    }
}

/// Of a log of several partners: whose each line is, or the reason for which it is rejected.
#[test]
fn a_line_of_several_partners_names_one_of_them() {
    let of = |source: Source| Source(Spec { partners: Some(two_partners()), ..source.0 });
    let pattern = compile(r"^(?P<time>\S+) (?P<v>\w*) (?P<event>\w+) (?P<procedure>\w+)$").unwrap();
    let (json, syslog) = (of(json_source()), of(source(Format::Syslog)));
    let text = of(source(Format::Syslog).message(MessageFormat::Logfmt));
    let syslog = syslog.map(Field::Event, "m@1.event").map(Field::Procedure, "m@1.procedure");
    let syslog = Source(Spec {
        partners: Some(Partners { key: "m@1.v".into(), ..two_partners() }),
        ..syslog.0
    });
    let (logfmt, regex) = (of(logfmt()), of(regex_source(pattern)));
    let at = "2025-11-10T13:10:00Z";
    for (word, want) in [
        ("N", "north"),
        ("S1", "south"),
        ("S22", "south"),
        ("n", "unknown_partner"),
        ("", "unknown_partner"),
        ("north", "unknown_partner"),
    ] {
        let pairs = format!("time={at} event=started procedure=p");
        for (source, line) in [
            (&logfmt, format!("{pairs} v={word}")),
            (&logfmt, format!("v=\" {word} \" {pairs}")),
            (&json, format!(r#"{{"v":"{word}","time":"{at}","event":"started","procedure":"p"}}"#)),
            (
                &syslog,
                format!("<13>1 {at} h a - - [m@1 v=\"{word}\" event=\"started\" procedure=\"p\"]"),
            ),
            (&text, format!("<13>1 {at} h a - - - event=started procedure=p v={word}")),
            (&regex, format!("{at} {word} started p")),
        ] {
            assert_eq!(whose(source, &line), want, "{line}");
        }
    }
    for line in [
        r#"{"v":["N"],"event":"started"}"#,
        r#"{"v":null,"event":"started"}"#,
        r#"{"event":"started"}"#,
    ] {
        assert_eq!(whose(&json, line), "unknown_partner", "{line}");
    }
    // Noise is nobody's; what `match` asks for is somebody's.
    assert_eq!(whose(&json, r#"{"v":"x"}"#), "ignored");
    assert_eq!(whose(&json.clone().matching(None, &["x"]), r#"{"v":"x"}"#), "unknown_partner");
    logfmt.check_rejected(&format!("time={at} event=started v=x"), Reason::UnknownPartner, 43);
}

/// Stamps without an offset are in the zone of whoever wrote the line.
#[test]
fn each_of_several_partners_has_its_zone() {
    let source = Source(Spec { partners: Some(two_partners()), ..logfmt().0 });
    let line = |v: &str| format!("time=\"2025-11-10 13:10:00\" event=started procedure=p v={v}");
    source.check(&line("N"), "started 2025-11-10T12:10:00Z procedure=p");
    source.check(&line("S7"), "started 2025-11-10T18:10:00Z procedure=p");
}

fn whose(source: &Source, line: &str) -> String {
    let reader = source.clone().reader();
    match reader.read(line.as_bytes(), &FileState::default(), near()) {
        Reading::Event(event) => event.partner.expect("a partner").to_string(),
        other => show(&other),
    }
}

fn two_partners() -> Partners {
    let member = |name: &str, zone: &str| Member {
        partner: name.into(),
        zone: Zone::find(zone).unwrap(),
        clock_tolerance: crate::policy::defaults::CLOCK_TOLERANCE,
    };
    Partners {
        key: "v".into(),
        each: vec![member("north", "Europe/Oslo"), member("south", "America/Lima")],
        words: [("N".to_owned(), "north".into())].into(),
        patterns: vec![(compile(r"^S\d+$").unwrap(), "south".into())],
    }
}
