//! `offhours windows` and its route: the next days, from the agreement and the ledger.

use serde_json::Value;

use crate::support::{Server, folder, offhours, root, text};

const FROM: &str = "2026-03-24T12:00:00Z";

/// A folder with the quickstart's agreement and two changes, one of them in business hours.
fn home() -> tempfile::TempDir {
    let home = folder();
    let config = std::fs::read_to_string(root().join("examples/quickstart/offhours.yml"));
    std::fs::write(home.path().join("offhours.yml"), config.expect("a file")).expect("a file");
    let notice = |id: &str, from: &str, to: &str| {
        format!(
            "time=2026-03-20T09:00:00Z msg=\"change notice\" change={id} revision=1 status=CONFIRMED \
             task=search-reindex target=orion planned_start=2026-03-{from}Z planned_end=2026-03-{to}Z\n"
        )
    };
    let lines = notice("CHG-1", "24T23:00:00", "25T01:00:00")
        + &notice("CHG-2", "25T10:00:00", "25T11:00:00");
    std::fs::write(home.path().join("northhost.log"), lines).expect("a log");
    home
}

/// Kind, start, end, name, and what it is against.
fn brief(row: &Value) -> String {
    let word = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let against = row["against"].as_array().expect("a list").iter();
    let against: Vec<&str> = against.map(|a| a["reason"].as_str().expect("a word")).collect();
    let [kind, start, end, name] = ["kind", "start", "end", "name"].map(word);
    format!("{kind} {start} {end} {name} {}", against.join(" "))
}

#[test]
fn the_next_days_are_listed_from_the_agreement_and_the_ledger() {
    let home = home();
    let config = home.path().join("offhours.yml");
    let server = Server::start_in(&config, home.path());
    let (status, answer) = server.get(&format!("/api/v1/windows?from={FROM}&days=2"));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(server.get("/api/v1/windows?partner=nobody").0, 400);
    let live: Value = serde_json::from_str(&answer).expect("an object");
    assert!(server.stop().success());
    let config = format!("--config.file={}", config.display());
    let storage = format!("--storage.path={}", home.path().display());
    let list = |format: &str| {
        let (from, format) = (format!("--from={FROM}"), format!("--format={format}"));
        text(&offhours(&["windows", &config, &storage, &from, "--days=2", &format]).stdout)
    };
    let rows: Vec<Value> =
        list("json").lines().map(|l| serde_json::from_str(l).expect("an object")).collect();
    assert_eq!(live["windows"], Value::from(rows.clone()));
    assert_eq!(
        rows.iter().map(brief).collect::<Vec<_>>(),
        [
            "business_hours 2026-03-24T08:00:00Z 2026-03-24T18:00:00Z - ",
            "window 2026-03-24T22:00:00Z 2026-03-25T05:00:00Z - ",
            "change 2026-03-24T23:00:00Z 2026-03-25T01:00:00Z CHG-1 ",
            "business_hours 2026-03-25T08:00:00Z 2026-03-25T18:00:00Z - ",
            "change 2026-03-25T10:00:00Z 2026-03-25T11:00:00Z CHG-2 in_business_hours outside_window",
            "window 2026-03-25T22:00:00Z 2026-03-26T05:00:00Z - ",
            "business_hours 2026-03-26T08:00:00Z 2026-03-26T18:00:00Z - ",
        ]
    );
    let of_first = &rows[0]["within_range"];
    assert_eq!(
        [&of_first["start"], &of_first["end"]],
        ["2026-03-24T12:00:00Z", "2026-03-24T18:00:00Z"]
    );
    let table = list("table");
    assert!(table.contains("CHG-2; confirmed; against in_business_hours"), "{table}");
    let from_now = text(&offhours(&["windows", &config, &storage]).stdout);
    assert!(!from_now.contains('.'), "times are told to the second: {from_now}");
    let calendar = list("ics");
    assert_eq!(calendar.matches("BEGIN:VEVENT\r\n").count(), rows.len(), "{calendar}");
    assert!(calendar.contains("DTSTART:20260324T230000Z\r\n"), "{calendar}");
}

const AGREED: &str = "services: { billing: { timezone: Europe/Paris, business_hours: \"Mo-Fr 07:00-19:00\",
  freezes: [ { name: quarter, from: 2026-03-20T00:00, to: 2026-04-06T00:00 } ] } }
partners:
  southhost:
    timezone: Europe/Paris
    windows: \"Mo-Su 21:00-06:00\"
    procedures: { vacuum: { services: [billing] }, reindex: { services: [billing], windows: \"Sa 12:00-24:00\" } }
sources: [ { name: south, partner: southhost, files: [south.log], format: logfmt } ]
";

/// Two runs, one of which is still open, and a change with two planned procedures.
const LOG: &str = "time=2026-03-24T21:10:00Z event=started procedure=vacuum run_id=v1
time=2026-03-24T22:00:00Z event=finished procedure=vacuum run_id=v1
time=2026-03-25T01:00:00Z event=started procedure=reindex run_id=r1
time=2026-03-20T09:00:00Z change_id=C9 status=confirmed planned_start=2026-03-25T22:00:00Z planned_end=2026-03-25T23:00:00Z procedure=vacuum
";

/// What `offhours windows` says of the folder.
fn list(home: &std::path::Path, options: &[&str]) -> String {
    let config = format!("--config.file={}", home.join("offhours.yml").display());
    let storage = format!("--storage.path={}", home.display());
    let mut all = vec!["windows", &config, &storage];
    all.extend(options);
    text(&offhours(&all).stdout)
}

/// The entries of a calendar: UID to start, end and summary.
fn entries(calendar: &str) -> std::collections::BTreeMap<String, String> {
    let unfolded = calendar.replace("\r\n ", "");
    let mut found = std::collections::BTreeMap::new();
    for entry in unfolded.split("BEGIN:VEVENT\r\n").skip(1) {
        let value = |key: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap_or_else(|| panic!("no {key} in {entry}")).to_owned()
        };
        let told = [value("DTSTART:"), value("DTEND:"), value("SUMMARY:")].join(" ");
        let again = found.insert(value("UID:"), told);
        assert_eq!(again, None, "one UID twice in {calendar}");
    }
    found
}

#[test]
fn spans_are_whole_and_keep_their_names_however_they_are_asked_for() {
    let home = folder();
    std::fs::write(home.path().join("offhours.yml"), AGREED).expect("a file");
    std::fs::write(home.path().join("south.log"), LOG).expect("a log");
    let server = Server::start_in(&home.path().join("offhours.yml"), home.path());
    let path = "/api/v1/windows?from=2026-03-25T03:00:00Z&days=1&format=ics";
    let (status, live) = server.get(path);
    assert_eq!(status, 200, "{live}");
    assert!(server.stop().success());
    let ask = |from: &str, days: &str| {
        let (from, days) = (format!("--from={from}"), format!("--days={days}"));
        entries(&list(home.path(), &[&from, &days, "--format=ics"]))
    };
    let narrow = ask("2026-03-25T03:00:00Z", "1");
    let later = ask("2026-03-25T03:30:17Z", "1");
    let wide = ask("2026-03-22T11:00:00Z", "9");
    for (uid, told) in &narrow {
        // The run that is open has come further meanwhile.
        if !told.contains("reindex") {
            assert_eq!(wide.get(uid), Some(told), "it is another in a wider range");
        }
        assert!(wide.contains_key(uid) && later.contains_key(uid), "{told}");
        assert!(entries(&live).contains_key(uid), "{told} is not in the calendar of the server");
    }
    let told: Vec<&str> = narrow.values().map(String::as_str).collect();
    for (start, end, what) in [
        ("20260324T200000Z", "20260325T050000Z", "Maintenance window: southhost: vacuum"),
        ("20260319T230000Z", "20260405T220000Z", "Freeze: billing"),
        ("20260325T060000Z", "20260325T180000Z", "Business hours: billing"),
        (
            "20260325T220000Z",
            "20260325T230000Z",
            "Planned maintenance: southhost on billing: vacuum",
        ),
    ] {
        let want = format!("{start} {end} {what}");
        assert!(told.contains(&want.as_str()), "{want} is not in {told:#?}");
    }
    // What runs is in it, and what ran is where its time is asked for.
    let run = |all: &std::collections::BTreeMap<String, String>, what: &str| {
        all.values().find(|told| told.contains("Maintenance run") && told.contains(what)).cloned()
    };
    assert!(run(&narrow, "reindex").is_some_and(|told| told.starts_with("20260325T010000Z ")));
    assert_eq!(run(&narrow, "vacuum"), None);
    let ran = run(&wide, "vacuum").expect("the run that is over");
    assert!(ran.starts_with("20260324T211000Z 20260324T220000Z "), "{ran}");
    let table = list(home.path(), &["--from=2026-03-25T03:00:00Z", "--days=1"]);
    assert!(table.contains("Tue 24 Mar 2026 21:00:00 Europe/Paris"), "{table}");
    // Another service alone hides procedures, and changes no name.
    let of_service = list(
        home.path(),
        &["--from=2026-03-25T03:00:00Z", "--days=1", "--format=ics", "--service=billing"],
    );
    assert_eq!(entries(&of_service).keys().collect::<Vec<_>>(), narrow.keys().collect::<Vec<_>>());
}

#[test]
fn what_is_always_open_is_told_as_such() {
    let home = folder();
    let always = AGREED.replace("Sa 12:00-24:00", "24/7");
    std::fs::write(home.path().join("offhours.yml"), always).expect("a file");
    let table = list(home.path(), &["--from=2026-03-25T03:00:00Z", "--days=1"]);
    let line = table.lines().find(|line| line.contains("reindex")).expect("its line");
    assert!(line.starts_with("always ") && line.contains("no end within ten years"), "{line}");
}
