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
            "business_hours 2026-03-24T12:00:00Z 2026-03-24T18:00:00Z - ",
            "window 2026-03-24T22:00:00Z 2026-03-25T05:00:00Z - ",
            "change 2026-03-24T23:00:00Z 2026-03-25T01:00:00Z CHG-1 ",
            "business_hours 2026-03-25T08:00:00Z 2026-03-25T18:00:00Z - ",
            "change 2026-03-25T10:00:00Z 2026-03-25T11:00:00Z CHG-2 in_business_hours outside_window",
            "window 2026-03-25T22:00:00Z 2026-03-26T05:00:00Z - ",
            "business_hours 2026-03-26T08:00:00Z 2026-03-26T12:00:00Z - ",
        ]
    );
    let table = list("table");
    assert!(table.contains("CHG-2; confirmed; against in_business_hours"), "{table}");
    let from_now = text(&offhours(&["windows", &config, &storage]).stdout);
    assert!(!from_now.contains('.'), "times are told to the second: {from_now}");
    let calendar = list("ics");
    assert_eq!(calendar.matches("BEGIN:VEVENT\r\n").count(), rows.len(), "{calendar}");
    assert!(calendar.contains("DTSTART:20260324T230000Z\r\n"), "{calendar}");
}
