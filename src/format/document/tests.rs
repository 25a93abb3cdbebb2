//! Rows: a document in, what became of its records out.

use std::sync::Arc;

use super::super::spec;
use super::super::spec::{Field, Format, Match, Spec};
use super::*;
use crate::calendar::Zone;
use crate::event::{Body, Event};
use crate::time::rfc3339;

fn reader(format: Format, records: &[&str], fields: &[(Field, &str)]) -> Reader {
    let records = records.iter().map(|name| (*name).to_owned()).collect();
    Reader::new(Arc::new(Spec {
        fields: fields.iter().map(|(field, key)| (*field, (*key).to_owned())).collect(),
        document: Some(spec::Document::Changes { records }),
        ..Spec::new(format, Zone::utc())
    }))
}

fn json() -> Format {
    Format::Json { patterns: Vec::new() }
}

fn written() -> Instant {
    chrono::DateTime::from_timestamp(1_772_359_200, 0).unwrap()
}

/// Each record as `offset id status stamp`, or `offset reason`.
fn told(reader: &Reader, document: &str) -> Result<Vec<String>, String> {
    let records = reader.read_document(document.as_bytes(), written());
    let told = |record: Record| match record.reading {
        Reading::Ignored => format!("{} ignored", record.offset),
        Reading::Rejected(rejection) => format!("{} {}", record.offset, rejection.reason),
        Reading::Event(event) => match event.body {
            Body::Notice(notice) => {
                let status = notice.status.map_or("-", |status| status.as_str());
                let id = notice.change_id;
                format!("{} {id} {status} {}", record.offset, rfc3339(event.at))
            }
            Body::Run(_) => "a run".to_owned(),
        },
    };
    match records {
        Ok(records) => Ok(records.into_iter().map(told).collect()),
        Err(rejection) => Err(format!("{}: {}", rejection.reason, rejection.detail)),
    }
}

fn check_csv(document: &str, want: &[&str]) {
    let reader = reader(Format::Csv { delimiter: b',' }, &[], &[(Field::ChangeId, "number")]);
    assert_eq!(told(&reader, document).unwrap(), want, "{document:?}");
}

#[test]
fn csv_records_may_hold_line_breaks() {
    check_csv("", &[]);
    check_csv("\n\n", &[]);
    check_csv("number,status\n", &[]);
    check_csv("number,status\nC1,confirmed", &["14 C1 confirmed 2026-03-01T10:00:00Z"]);
    check_csv(
        "\u{feff}number,text,time,status\r\nC1,\"two\r\nlines, \"\"quoted\"\"\",2026-03-01 09:00:00,confirmed\r\n\r\nC2,,,tentative\r\n",
        &["28 C1 confirmed 2026-03-01T09:00:00Z", "89 C2 tentative 2026-03-01T10:00:00Z"],
    );
    check_csv(
        "number,status\nC1,agreed\n,confirmed\nC3,\n",
        &["14 unknown_status", "24 missing_change_id", "35 C3 - 2026-03-01T10:00:00Z"],
    );
    check_csv("number,status\nC1,\"open\nC2,x\n", &["14 syntax"]);
}

#[test]
fn names_that_are_not_told_take_the_defaults_of_the_source() {
    let procedures = |document: spec::Document, text: &str| -> Vec<String> {
        let fields = [(Field::Procedure, "object"), (Field::ChangeId, "maintenance_id")];
        let reader = Reader::new(Arc::new(Spec {
            fields: fields.iter().map(|(field, key)| (*field, (*key).to_owned())).collect(),
            defaults: [(Field::Procedure, "splicing".to_owned())].into(),
            document: Some(document),
            ..Spec::new(json(), Zone::utc())
        }));
        let mut records = reader.read_document(text.as_bytes(), written()).unwrap();
        match records.remove(0).reading {
            Reading::Event(Event { body: Body::Notice(notice), .. }) => {
                notice.procedures.into_iter().map(String::from).collect()
            }
            other => vec![format!("{other:?}")],
        }
    };
    for (objects, want) in [
        ("", "splicing"),
        ("X-MAINTNOTE-OBJECT-ID:\n", "splicing"),
        ("X-MAINTNOTE-OBJECT-ID: \nX-MAINTNOTE-OBJECT-ID:duct\n", "duct"),
    ] {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nX-MAINTNOTE-MAINTENANCE-ID:7\n{objects}END:VEVENT\nEND:VCALENDAR\n"
        );
        assert_eq!(procedures(spec::Document::Notices, &text), [want], "{objects:?}");
    }
    for (object, want) in [("[]", "splicing"), ("[\" \"]", "splicing"), ("[\"duct\"]", "duct")] {
        let text = format!("[{{\"maintenance_id\": \"7\", \"object\": {object}}}]");
        let changes = spec::Document::Changes { records: vec![] };
        assert_eq!(procedures(changes, &text), [want], "{object}");
    }
}

#[test]
fn a_quote_inside_a_csv_cell_swallows_no_record() {
    let both = |first: &str| {
        let rows = format!("number,text,status\nC1,{first},confirmed\nC2,x,tentative\n");
        let second = rows.find("C2").unwrap();
        let want = [
            "19 C1 confirmed 2026-03-01T10:00:00Z".to_owned(),
            format!("{second} C2 tentative 2026-03-01T10:00:00Z"),
        ];
        check_csv(&rows, &want.each_ref().map(String::as_str));
    };
    both("19\" rack");
    both("a \"word\" and\"");
    both(" \"");
    both("\"\"\"\"");
    both("\"\"");
    both("\"a\"\"\nb\"\"\"");
}

#[test]
fn csv_lines_may_end_in_carriage_returns() {
    let want = ["14 C1 confirmed 2026-03-01T10:00:00Z", "27 C2 - 2026-03-01T10:00:00Z"];
    check_csv("number,status\rC1,confirmed\rC2,\r", &want);
}

#[test]
fn a_document_in_utf_16_is_told() {
    let reader = reader(Format::Csv { delimiter: b',' }, &[], &[(Field::ChangeId, "number")]);
    let text = "number,status\nC1,confirmed\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [b"\xff\xfe", little.as_slice()].concat();
    for bytes in [little, big, marked] {
        let refused = reader.read_document(&bytes, written()).unwrap_err();
        assert_eq!(refused.detail, "the document is in UTF-16: it has to be written in UTF-8");
    }
}

#[test]
fn a_csv_document_without_the_column_of_the_change_is_refused() {
    let reader = reader(Format::Csv { delimiter: b',' }, &[], &[(Field::ChangeId, "number")]);
    let refused = told(&reader, "id,status\nC1,confirmed\n").unwrap_err();
    assert_eq!(refused, "bad_header: the header has no column for the change id: \"id,status\"");
}

#[test]
fn a_key_that_the_configuration_names_has_to_be_in_the_document() {
    let fields = [(Field::ChangeId, "id"), (Field::Service, "plan.target")];
    let named = |format: Format| {
        let mut spec = (*reader(format, &[], &fields).spec).clone();
        spec.named = vec![Field::ChangeId, Field::Service];
        spec.matching = Some(Match { key: Some("kind".into()), any: vec!["change".into()] });
        Reader::new(Arc::new(spec))
    };
    let csv = named(Format::Csv { delimiter: b',' });
    let json = named(json());
    for (reader, document, want) in [
        (&csv, "id,plan.target,kind\n", None),
        (&csv, "id,target,kind\n", Some("column \"plan.target\" (named for service)")),
        (&csv, "id,plan.target,sort\n", Some("column \"kind\" (named for match)")),
        (&json, "[]", None),
        // One record has it.
        (
            &json,
            r#"[{"id":1,"kind":"change"},{"id":2,"plan":{"target":"x"},"kind":"change"}]"#,
            None,
        ),
        (&json, r#"[{"id":1,"plan":{"target":null},"kind":"change"}]"#, None),
        // Not a record of ours.
        (&json, r#"[{"id":1,"kind":"incident"}]"#, None),
        (
            &json,
            r#"[{"id":1,"target":"x","kind":"change"}]"#,
            Some("key \"plan.target\" (named for service)"),
        ),
    ] {
        let refused = told(reader, document).err();
        let fits = match (&refused, want) {
            (Some(told), Some(want)) => told.starts_with("bad_header: ") && told.contains(want),
            (refused, want) => refused.is_none() && want.is_none(),
        };
        assert!(fits, "{document}: {refused:?}");
    }
}

fn check_json(document: &str, want: &[&str]) {
    let fields = [(Field::ChangeId, "Detail.id"), (Field::Status, "Detail.status")];
    let reader = reader(json(), &["result", "events"], &fields);
    let want: Vec<String> = want.iter().map(|row| format!("{row} 2026-03-01T10:00:00Z")).collect();
    assert_eq!(told(&reader, document).unwrap(), want, "{document:?}");
}

#[test]
fn json_documents_are_arrays_lines_or_envelopes() {
    let one = r#"{"Detail":{"id":"C1","status":"confirmed"}}"#;
    check_json("", &[]);
    check_json("[]", &[]);
    check_json(one, &["0 C1 confirmed"]);
    check_json(&format!("[{one},\n {one}]"), &["1 C1 confirmed", "47 C1 confirmed"]);
    check_json(&format!("{one}\n{one}\n"), &["0 C1 confirmed", "44 C1 confirmed"]);
    check_json(&format!("{{\"n\":{{}},\"result\":[{one}]}}"), &["18 C1 confirmed"]);
    check_json(r#"{"result":[]}"#, &[]);
    let text = r#"[{"Detail":"{\"id\":\"C2\",\"status\":\"cancelled\",\"q\":[\"\\n\"]}"}]"#;
    check_json(text, &["1 C2 cancelled"]);
}

#[test]
fn of_a_broken_json_document_nothing_is_taken_unless_it_is_lines() {
    let fields = [(Field::ChangeId, "Detail.id")];
    let reader = reader(json(), &["result"], &fields);
    for (document, want) in [
        ("[{\n  \"a\": 1,\n  \"b\"\n}]", "syntax: line 4, column 1: expected a colon"),
        ("\"text\"", "syntax: line 1, column 1: expected a json object or array"),
        ("[{}", "syntax: line 1, column 4: expected a comma or a closing bracket"),
    ] {
        assert_eq!(told(&reader, document).unwrap_err(), want);
    }
    let not_utf8 = reader.read_document(b"[\n \"\xff\"]", written()).unwrap_err();
    assert_eq!(not_utf8.detail, "line 2, column 3: not UTF-8");
    let deep = format!("[{}", "[".repeat(100_000));
    assert!(told(&reader, &deep).unwrap_err().ends_with("nested too deeply"));
    let lines = "{\"Detail\":{\"id\":\"C1\"}}\n{\"Detail\":\n{\"Detail\":\"{\\\"id\\\":\"}\n7\n";
    assert_eq!(
        told(&reader, lines).unwrap(),
        ["0 C1 - 2026-03-01T10:00:00Z", "23 syntax", "34 syntax", "56 syntax"]
    );
}
