//! Syslog headers and structured data, as rows.

use super::super::tests::scanned;
use super::*;
use proptest::prelude::*;

const KEYS: &[&str] = &[
    "timestamp",
    "hostname",
    "app_name",
    "proc_id",
    "msg_id",
    "message",
    "priority",
    "facility",
    "severity",
    "m@32473.state",
    "m@32473.note",
    "x.state",
];

fn check(line: &str, want: &[(&str, &str)]) {
    let found = scanned(KEYS, |keys, put| scan(line, keys, put).map(|_| ()));
    let want = want.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    assert_eq!(found, Ok(want), "{line}");
}

fn check_fault(line: &str, column: usize, detail: &str) {
    let fault = scanned(KEYS, |keys, put| scan(line, keys, put).map(|_| ())).unwrap_err();
    assert!(fault.detail.starts_with(detail), "{line}: {}", fault.detail);
    assert_eq!(fault.at, Some(column - 1), "{line}");
}

#[test]
fn rfc_5424_headers_are_read() {
    check(
        "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 42 ID47 - \u{feff}An event",
        &[
            ("timestamp", "2003-10-11T22:14:15.003Z"),
            ("hostname", "mymachine.example.com"),
            ("app_name", "evntslog"),
            ("proc_id", "42"),
            ("msg_id", "ID47"),
            ("message", "An event"),
            ("priority", "165"),
            ("facility", "20"),
            ("severity", "5"),
        ],
    );
    check("1 - - - - - -", &[("message", "")]);
    check("1 - - - - - - ", &[("message", "")]);
    check("1 - h - - - -  two blanks", &[("hostname", "h"), ("message", " two blanks")]);
    check(
        "<0>1 - - - - - - x",
        &[("message", "x"), ("priority", "0"), ("facility", "0"), ("severity", "0")],
    );
}

#[test]
fn structured_data_is_addressed_by_id_and_parameter() {
    check(
        r#"1 - - - - - [m@32473 state="A" note="b c"] text"#,
        &[("m@32473.state", "A"), ("m@32473.note", "b c"), ("message", "text")],
    );
    check(
        r#"1 - - - - - [x state="A"][m@32473 state="B" state="C"]"#,
        &[("x.state", "A"), ("m@32473.state", "C"), ("message", "")],
    );
    check(r#"1 - - - - - [x][y] [x state="A"]"#, &[("message", r#"[x state="A"]"#)]);
    check(
        r#"1 - - - - - [x state="a\"b\\c\]d\ne\ü"]"#,
        &[("x.state", "a\"b\\c]d\\ne\\ü"), ("message", "")],
    );
}

#[test]
fn rfc_3164_headers_are_read() {
    let common = [("timestamp", "Oct 11 22:14:15"), ("hostname", "mx")];
    let with = |more: &[(&'static str, &'static str)]| [&common[..], more].concat();
    check(
        "<34>Oct 11 22:14:15 mx su: 'su root' failed",
        &with(&[
            ("app_name", "su"),
            ("message", "'su root' failed"),
            ("priority", "34"),
            ("facility", "4"),
            ("severity", "2"),
        ]),
    );
    let tagged = with(&[("app_name", "cron"), ("proc_id", "7"), ("message", "x: y")]);
    check("Oct 11 22:14:15 mx cron[7]: x: y", &tagged);
    check("Oct 11 22:14:15 mx cron[7] x: y", &tagged);
    check("Oct 11 22:14:15 mx -- MARK --", &with(&[("message", "-- MARK --")]));
    check("Oct 11 22:14:15 mx", &with(&[("message", "")]));
    check(
        "Oct 11 22:14:15 cron[7]: x",
        &[
            ("timestamp", "Oct 11 22:14:15"),
            ("app_name", "cron"),
            ("proc_id", "7"),
            ("message", "x"),
        ],
    );
    check(
        "Nov  3 01:02:03 mx x",
        &[("timestamp", "Nov  3 01:02:03"), ("hostname", "mx"), ("message", "x")],
    );
    check(
        "2025-11-10T13:10:00+01:00 mx a: x",
        &[
            ("timestamp", "2025-11-10T13:10:00+01:00"),
            ("hostname", "mx"),
            ("app_name", "a"),
            ("message", "x"),
        ],
    );
}

#[test]
fn broken_lines_say_where_and_why() {
    let header = "expected a header of rfc 5424 or rfc 3164";
    check_fault("", 1, header);
    check_fault("hello world", 1, header);
    check_fault("<13>hello world", 5, header);
    check_fault("<192>1 - - - - - -", 1, header);
    check_fault("<+34>Oct 11 22:14:15 mx x", 1, header);
    check_fault("<034", 1, header);
    check_fault("Okt 11 22:14:15 mx x", 1, header);
    check_fault("1 2025-11-10 h a p m -", 3, "expected an rfc 3339");
    check_fault("1 - h a p", 9, "the rfc 5424 header ends too early");
    check_fault("1 - - - - - x", 13, "expected structured data");
    check_fault("1 - - - - - -x", 14, "expected a blank behind");
    check_fault("1 - - - - - []", 14, "expected a name");
    check_fault("1 - - - - - [x y]", 17, "expected =\"");
    check_fault("1 - - - - - [x y=\"z]", 18, "the value that starts here");
    check_fault("1 - - - - - [x y=\"z\\\"]", 18, "the value that starts here");
    check_fault("1 - - - - - [x y=\"z\"", 21, "expected a blank or a closing");
}

proptest! {
    #[test]
    fn structured_values_come_back(state in any::<String>(), note in any::<String>()) {
        let quoted = |text: &str| {
            text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
        };
        let line = format!(
            "<13>1 - h a p m [m@32473 state=\"{}\" note=\"{}\"] end",
            quoted(&state),
            quoted(&note)
        );
        let found = scanned(KEYS, |keys, put| scan(&line, keys, put).map(|_| ())).unwrap();
        prop_assert_eq!(&found["m@32473.state"], &state);
        prop_assert_eq!(&found["m@32473.note"], &note);
        prop_assert_eq!(&found["message"], "end");
    }

    #[test]
    fn nothing_panics(
        start in prop::sample::select(vec!["", "<13>", "1 ", "<13>1 - - - - - ", "Nov  3 01:02:03 "]),
        line in r#"[\[\]"\\= -:ü\x{feff}a1]{0,20}"#,
    ) {
        let line = format!("{start}{line}");
        let _ = scanned(KEYS, |keys, put| scan(&line, keys, put).map(|_| ()));
    }
}
