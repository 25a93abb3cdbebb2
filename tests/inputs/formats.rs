//! The same records in every format and by every road: the same runs, and the same lines rejected for the same reasons.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{replayed, series};
use crate::support::{Server, eventually, folder, offhours, text};

/// The fields of a record as the partner calls them, with what it says.
type Record = &'static [(&'static str, &'static str)];

const KEYS: [&str; 11] =
    ["at", "state", "task", "target", "job", "took", "change", "rev", "stage", "from", "to"];

const FIELDS: &str = "fields: { time: PREat, event: PREstate, procedure: PREtask, service: PREtarget, run_id: PREjob, \
     duration: PREtook, change_id: PREchange, revision: PRErev, status: PREstage, planned_start: PREfrom, planned_end: PREto }, \
     values: { event: { UP: started, \"/^DOWN/\": finished }, status: { OK: confirmed, Off: cancelled }, \
     service: { V: vega }, revision: { A: \"1\" }, duration: { none: 0s } }";

/// What becomes of it: `started`, `whole`, `notice`, or the reason for which it is rejected.
const RECORDS: &[(&str, Record)] = &[
    (
        "started",
        &[
            ("at", "2026-03-10T23:00:00Z"),
            ("state", "UP"),
            ("task", "backup"),
            ("target", "V"),
            ("job", "1"),
        ],
    ),
    (
        "started",
        &[
            ("at", "2026-03-10 23:01:00"),
            ("state", "Started"),
            ("task", "backup"),
            ("target", "vega"),
            ("job", "ü 2"),
        ],
    ),
    (
        "whole",
        &[
            ("at", "2026-03-10T23:30:00Z"),
            ("state", "DOWN (0)"),
            ("task", "backup"),
            ("job", "3"),
            ("took", "2m 3s"),
        ],
    ),
    (
        "whole",
        &[
            ("at", "2026-03-10T23:31:00Z"),
            ("state", "DOWN"),
            ("task", "backup"),
            ("job", "4"),
            ("took", "1 day, 2:15:10"),
        ],
    ),
    (
        "whole",
        &[
            ("at", "2026-03-10T23:32:00Z"),
            ("state", "failed"),
            ("task", "backup"),
            ("job", "5"),
            ("took", "PT2M3S"),
        ],
    ),
    (
        "whole",
        &[
            ("at", "2026-03-10T23:33:00Z"),
            ("state", "DOWN"),
            ("task", "backup"),
            ("job", "6"),
            ("took", "none"),
        ],
    ),
    ("unknown_event", &[("at", "2026-03-10T23:34:00Z"), ("state", "UPP"), ("task", "backup")]),
    ("bad_time", &[("at", "yesterday"), ("state", "UP"), ("task", "backup")]),
    ("time_out_of_range", &[("at", "20260310"), ("state", "UP"), ("task", "backup")]),
    ("missing_time", &[("at", ""), ("state", "UP"), ("task", "backup")]),
    ("missing_procedure", &[("at", "2026-03-10T23:35:00Z"), ("state", "UP")]),
    (
        "bad_duration",
        &[("at", "2026-03-10T23:36:00Z"), ("state", "DOWN"), ("job", "1"), ("took", "long")],
    ),
    (
        "notice",
        &[
            ("at", "2026-03-01T09:00:00Z"),
            ("stage", "OK"),
            ("change", "C1"),
            ("rev", "A"),
            ("from", "2026-03-10T23:00:00Z"),
            ("to", "2026-03-11T01:00:00Z"),
        ],
    ),
    ("notice", &[("at", "2026-03-01T10:00:00Z"), ("stage", "OK"), ("change", "C1"), ("rev", "2")]),
    ("notice", &[("at", "2026-03-01T10:00:00Z"), ("stage", "Off"), ("change", "C2")]),
    ("bad_plan", &[("at", "2026-03-01T11:00:00Z"), ("stage", "OK"), ("change", "C3")]),
    (
        "bad_plan",
        &[
            ("at", "2026-03-01T11:00:00Z"),
            ("stage", "OK"),
            ("change", "C4"),
            ("from", "2026-03-10T23:00:00Z"),
        ],
    ),
    (
        "bad_plan",
        &[
            ("at", "2026-03-01T11:00:00Z"),
            ("stage", "tentative"),
            ("change", "C5"),
            ("from", "2026-03-10T23:00:00Z"),
            ("to", "2026-03-10T23:00:00Z"),
        ],
    ),
    (
        "bad_revision",
        &[("at", "2026-03-01T11:00:00Z"), ("stage", "OK"), ("change", "C6"), ("rev", "B")],
    ),
    ("unknown_status", &[("at", "2026-03-01T11:00:00Z"), ("stage", "Maybe"), ("change", "C7")]),
    (
        "missing_change_id",
        &[("at", "2026-03-01T11:00:00Z"), ("stage", "OK"), ("from", "2026-03-10T23:00:00Z")],
    ),
];

/// How a format writes a record.
struct Format {
    name: &'static str,
    /// Keys of the source.
    keys: &'static str,
    /// Stands in front of every key of ours.
    prefix: &'static str,
    head: String,
    write: fn(Record) -> String,
    /// Lines end so.
    end: &'static str,
}

fn quoted(record: Record) -> String {
    let pairs = record.iter().map(|(key, value)| format!("{key}=\"{value}\""));
    pairs.collect::<Vec<_>>().join(" ")
}

fn object(record: Record) -> Value {
    record.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

fn cells(record: Record, delimiter: &str) -> String {
    let value =
        |key: &&str| record.iter().find(|(own, _)| own == key).map_or("", |(_, value)| value);
    let cells = KEYS.iter().map(|key| format!("\"{}\"", value(key)));
    cells.collect::<Vec<_>>().join(delimiter)
}

fn formats() -> Vec<Format> {
    let plain = |name, keys, prefix, write| Format {
        name,
        keys,
        prefix,
        head: String::new(),
        write,
        end: "\n",
    };
    let values = "(?: stage=(?P<stage>[^;]*);)?(?: change=(?P<change>[^;]*);)?(?: rev=(?P<rev>[^;]*);)?\
         (?: from=(?P<from>[^;]*);)?(?: to=(?P<to>[^;]*);)?(?: took=(?P<took>[^;]*);)?$";
    let pattern = format!(
        "format: regex, pattern: '^at=(?P<at>[^;]*);(?: state=(?P<state>[^;]*);)?(?: task=(?P<task>[^;]*);)?\
         (?: target=(?P<target>[^;]*);)?(?: job=(?P<job>[^;]*);)?{values}'"
    );
    vec![
        plain("json", "format: json", "", |record| object(record).to_string()),
        plain("nested", "format: json", "m.x.", |record| {
            json!({ "m": { "x": object(record) } }).to_string()
        }),
        plain("in-text", "format: json", "m.", |record| {
            json!({ "m": object(record).to_string() }).to_string()
        }),
        plain("logfmt", "format: logfmt", "", quoted),
        Format { end: "\r\n", ..plain("crlf", "format: logfmt", "", quoted) },
        Format {
            head: "\u{feff}".into(),
            ..plain("marked", "format: json", "", |record| object(record).to_string())
        },
        Format {
            head: KEYS.join(",") + "\n",
            ..plain("csv", "format: csv", "", |r| cells(r, ","))
        },
        Format {
            head: format!("\u{feff}\"{}\"\r\n", KEYS.join("\"\t\"")),
            end: "\r\n",
            ..plain("tabs", "format: csv, delimiter: \"\\t\"", "", |r| cells(r, "\t"))
        },
        plain("data", "format: syslog", "m@1.", |record| {
            format!("<13>1 2026-03-10T12:00:00Z h a 7 - [m@1 {}] text", quoted(record))
        }),
        plain("text", "format: syslog, message_format: logfmt", "", |record| {
            format!("<13>1 2026-03-10T12:00:00Z h a 7 - - {}", quoted(record))
        }),
        plain("bsd", "format: syslog, message_format: json", "", |record| {
            format!("<13>Mar 10 12:00:00 h a[7]: {}", object(record))
        }),
        plain("regex", Box::leak(pattern.into_boxed_str()), "", |record| {
            let order = [
                "at", "state", "task", "target", "job", "stage", "change", "rev", "from", "to",
                "took",
            ];
            let found = order.iter().filter_map(|key| record.iter().find(|(own, _)| own == key));
            found.map(|(key, value)| format!("{key}={value};")).collect::<Vec<_>>().join(" ")
        }),
    ]
}

/// Rejected lines by reason, as they have to be.
fn wanted() -> BTreeMap<String, u64> {
    let mut wanted = BTreeMap::new();
    for (fate, _) in
        RECORDS.iter().filter(|(fate, _)| !matches!(*fate, "started" | "whole" | "notice"))
    {
        *wanted.entry((*fate).to_owned()).or_default() += 1;
    }
    wanted
}

#[test]
fn the_same_records_mean_the_same_in_every_format() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let (mut partners, mut sources) = (String::new(), String::new());
    for Format { name, keys, prefix, head, write, end } in formats() {
        partners += &format!(
            "  {name}: {{ windows: \"Mo-Su 22:00-05:00\", procedures: {{ backup: {{ services: [vega] }} }} }}\n"
        );
        let fields = FIELDS.replace("PRE", prefix);
        sources += &format!(
            "  - {{ name: {name}, partner: {name}, files: [{name}.log], {keys}, {fields} }}\n"
        );
        let lines: String = RECORDS.iter().map(|(_, record)| write(record) + end).collect();
        std::fs::write(home.path().join(format!("{name}.log")), head + &lines).expect("a log");
    }
    let agreed = format!("services: {{ vega: {{}} }}\npartners:\n{partners}sources:\n{sources}");
    std::fs::write(&config, agreed).expect("a configuration");
    let runs_of = |name: &str| {
        let option = format!("--config.file={}", config.display());
        let log = home.path().join(format!("{name}.log")).display().to_string();
        let until = "--until=2026-03-12T00:00:00Z";
        let said = text(&offhours(&["replay", "--format=json", until, &option, &log]).stdout);
        said.replace(&format!("\"partner\":\"{name}\""), "\"partner\":\"\"")
    };
    let first = runs_of("json");
    let lasted = RECORDS.iter().filter(|(fate, _)| *fate == "whole").count();
    assert_eq!(first.matches("\"state\":\"f").count(), lasted, "{first}");
    for Format { name, .. } in formats() {
        let (_, counts) = replayed(&config, &[&home.path().join(format!("{name}.log"))]);
        assert_eq!(counts["rejected"], json!(wanted()), "{name}");
        assert_eq!(runs_of(name), first, "{name}");
    }
    // Followed, they are the same.
    let server = Server::start(&config);
    for Format { name, .. } in formats() {
        let source = format!("source=\"{name}\"");
        let rejected =
            || series(&server, "offhours_source_lines_total", &[&source, "\"rejected\""]);
        let all: u64 = wanted().values().sum();
        eventually("the log is read", || rejected() == Some(all as f64));
        for (reason, n) in wanted() {
            let reason = format!("reason=\"{reason}\"");
            let found =
                series(&server, "offhours_source_rejected_lines_total", &[&source, &reason]);
            assert_eq!(found, Some(n as f64), "{name}: {reason}");
        }
    }
    assert!(server.stop().success());
}

/// Of a key that stands twice the last counts, whatever the format; a column that stands twice is refused.
#[test]
fn of_a_key_that_stands_twice_the_last_counts_in_every_format() {
    let at = "2026-03-10T23:00:00Z";
    for (keys, line, is_read) in [
        (
            "format: json",
            format!(
                "{{\"time\":\"{at}\",\"event\":\"failed\",\"event\":\"started\",\"procedure\":\"backup\"}}"
            ),
            true,
        ),
        (
            "format: json, fields: { event: m.e }",
            format!(
                "{{\"time\":\"{at}\",\"m\":{{\"e\":\"failed\"}},\"m\":{{\"e\":\"started\"}},\"procedure\":\"backup\"}}"
            ),
            true,
        ),
        (
            "format: logfmt",
            format!("time={at} event=failed event=started procedure=backup, event"),
            true,
        ),
        (
            "format: syslog, fields: { event: m@1.e }",
            format!("<13>1 {at} h a - - [m@1 e=\"failed\"][m@1 e=\"started\"] x"),
            true,
        ),
        (
            "format: syslog, fields: { event: m@1.e }",
            format!("<13>1 {at} h a - - [m@1 e=\"failed\" e=\"started\"] x"),
            true,
        ),
        ("format: csv", format!("time,event,event,procedure\n{at},failed,started,backup"), false),
    ] {
        let home = folder();
        let config = home.path().join("offhours.yml");
        let source = format!(
            "name: a, partner: p, files: [a.log], {keys}, defaults: {{ procedure: backup }}"
        );
        let agreed = "partners: { p: { windows: \"Mo-Su 22:00-05:00\" } }";
        std::fs::write(&config, format!("{agreed}\nsources: [ {{ {source} }} ]\n"))
            .expect("a configuration");
        let log = home.path().join("a.log");
        std::fs::write(&log, line + "\n").expect("a log");
        let (_, counts) = replayed(&config, &[&log]);
        let rejected =
            if is_read { json!({}) } else { json!({ "bad_header": 1, "missing_header": 1 }) };
        assert_eq!(
            (&counts["events"], &counts["rejected"]),
            (&u64::from(is_read).into(), &rejected),
            "{keys}"
        );
        assert_eq!(counts["irregularities"], json!({}), "{keys}");
    }
}

/// Records of changes without times, by every road that documents come.
#[test]
fn a_change_without_times_is_rejected_in_every_document() {
    let head = "change_id,status,time,planned_start,planned_end,service,procedure\n";
    let row = |id: &str, status: &str, from: &str, to: &str| {
        format!("{id},{status},2026-03-01T09:00:00Z,{from},{to},vega,backup\n")
    };
    let (from, to) = ("2026-03-10T23:00:00Z", "2026-03-11T01:00:00Z");
    let rows = [
        row("C1", "confirmed", from, to),
        row("C2", "confirmed", "", ""),
        row("C3", "confirmed", from, ""),
        row("C4", "tentative", to, from),
        row("C5", "cancelled", "", ""),
    ];
    let objects = rows.iter().map(|row| {
        let cells = head.trim().split(',').zip(row.trim().split(','));
        let cells = cells.filter(|(_, value)| !value.is_empty());
        Value::Object(cells.map(|(key, value)| (key.to_owned(), value.into())).collect())
    });
    let objects: Vec<Value> = objects.collect();
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    for (keys, name, content) in [
        ("format: csv", "a.csv", head.to_owned() + &rows.concat()),
        (
            "format: csv, delimiter: ;",
            "a.csv",
            (head.to_owned() + &rows.concat()).replace(',', ";").replace('\n', "\r\n"),
        ),
        ("format: json", "a.json", Value::from(objects.clone()).to_string()),
        ("format: json, records: all", "a.json", json!({ "all": objects.clone() }).to_string()),
        ("format: json", "a.json", lines.join("\n") + "\n"),
    ] {
        let home = folder();
        let config = home.path().join("offhours.yml");
        let source = format!("name: a, kind: changes, partner: p, files: [{name}], {keys}");
        let agreed = "services: { vega: {} }\npartners: { p: { windows: \"Mo-Su 22:00-05:00\" } }";
        std::fs::write(&config, format!("{agreed}\nsources: [ {{ {source} }} ]\n"))
            .expect("a configuration");
        let document = home.path().join(name);
        std::fs::write(&document, &content).expect("a document");
        let (_, counts) = replayed(&config, &[&document]);
        assert_eq!(
            (&counts["events"], &counts["rejected"]),
            (&2.into(), &json!({ "bad_plan": 3 })),
            "{keys}"
        );
        let server = Server::start(&config);
        let lines = |outcome: &str| series(&server, "offhours_source_lines_total", &[outcome]);
        eventually("it is read", || {
            lines("\"rejected\"") == Some(3.0) && lines("\"event\"") == Some(2.0)
        });
        assert!(server.stop().success());
    }
}
