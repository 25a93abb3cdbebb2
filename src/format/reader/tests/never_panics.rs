//! No line from a partner can make the process panic: random bytes and mutated good lines, in all formats.

use super::*;
use proptest::prelude::*;

const GOOD: &[&str] = &[
    r#"{"time":"2025-11-10T13:10:00Z","msg":"task","event":"started","procedure":"p","service":["a","b"]}"#,
    r#"{"time":1762780200.5,"msg":"task","event":"finished","m":{"n":[1,{"x":null}]},"duration":"1:02:03"}"#,
    r#"time=2025-11-10T13:10:00Z msg=task event=finished run_id=r start="10 Nov 2025 13:10 GMT" end=1"#,
    r#"time="2025-10-26 01:30:00" msg="task" status=confirmed change_id=c revision=2 planned_end=1e9"#,
    r#"<165>1 2025-11-10T13:10:00Z h a 1 ID [m@1 event="started"][x y="\]"] msg=task event=started"#,
    r#"<34>Nov 10 13:10:00 h a[1]: msg=task event=started procedure=p"#,
    r#"2025-11-10T13:10:00Z,started,"p ""q""",task"#,
    r#"time,event,procedure,msg"#,
    "\u{feff}time=\u{1b}[31m1762780200\u{1b}[0m msg=task event=aborted procedure=\\u00fc duration=-1",
];

fn readers() -> Vec<(Reader, FileState)> {
    let pattern = r"^(?P<time>\S+) (?P<event>\w+)? ?(?-u:(?P<procedure>.*))$";
    let regex = || compile(pattern).unwrap();
    let formats = [
        json_source().time_format("%d/%b/%Y:%H:%M:%S %z"),
        logfmt(),
        source(Format::Syslog).message(MessageFormat::Logfmt),
        source(Format::Syslog).message(MessageFormat::Json),
        source(Format::Syslog).message(MessageFormat::Regex(regex())),
        source(Format::Csv { delimiter: b',' }),
        regex_source(regex()).time_format("%b %d %H:%M:%S.%f"),
    ];
    let mut readers = Vec::new();
    for source in formats.into_iter().map(|source| source.zone("Europe/London")) {
        let matched = source.clone().matching(Some("msg"), &["task", "x"]);
        for source in [source.clone(), matched, source.matching(None, &["a"])] {
            let reader = source.reader();
            let header = FileState::with_header(&reader, b"time,event,procedure,msg").unwrap();
            readers.push((reader, FileState { last: Some(near()), ..header }));
        }
    }
    readers
}

/// Reads the line in every way. What passes is not ignored in silence where there is a `match`, a rejection is
/// bounded, and a column lies in the line.
fn check(readers: &[(Reader, FileState)], line: &[u8]) -> Result<(), TestCaseError> {
    for (reader, file) in readers {
        let _ = FileState::with_header(reader, line);
        let _ = reader.stamp(line, file, near());
        let _ = reader.candidates(line, file).count();
        let passes = reader.passes(line, file);
        match reader.read(line, file, near()) {
            Reading::Ignored => {}
            Reading::Event(event) => {
                prop_assert!(passes);
                prop_assert_eq!(reader.stamp(line, file, near()).unwrap_or(event.at), event.at);
            }
            Reading::Rejected(rejection) => {
                prop_assert!(passes, "{}", rejection.detail);
                prop_assert!(rejection.detail.len() <= 400);
                prop_assert!(!rejection.detail.chars().any(char::is_control));
                prop_assert!(rejection.column.is_none_or(|c| 1 <= c && c <= line.len() + 1));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn on_random_bytes(line in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&readers(), &line)?;
    }

    #[test]
    fn on_random_text(line in r#"[-{}\[\]"\\:,= <>1a0TZxé.\n]{0,60}"#) {
        check(&readers(), line.as_bytes())?;
    }

    #[test]
    fn on_mutated_lines(
        good in prop::sample::select(GOOD),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize, any::<Vec<u8>>()), 0..4),
    ) {
        let mut line = good.as_bytes().to_vec();
        for (at, length, with) in cuts {
            let at = at.index(line.len() + 1);
            let end = (at + length).min(line.len());
            line.splice(at..end, with.into_iter().take(3));
        }
        check(&readers(), &line)?;
    }
}

#[test]
fn on_every_beginning_and_end_of_a_good_line() {
    let readers = readers();
    for good in GOOD {
        for cut in 0..=good.len() {
            check(&readers, &good.as_bytes()[..cut]).unwrap();
            check(&readers, &good.as_bytes()[cut..]).unwrap();
        }
    }
}
