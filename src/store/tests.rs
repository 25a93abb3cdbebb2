//! What is written is read again.

use super::*;
use crate::event::{ChangeType, Status};
use crate::ledger::What;

#[test]
fn an_entry_comes_back_as_it_was() {
    let clock = chrono::DateTime::from_timestamp(1_773_100_800, 1).unwrap();
    let revision = crate::change::Revision {
        slot: None,
        number: 2,
        status: Some(Status::Confirmed),
        services: vec!["orion".into()],
        procedures: vec![],
        change_type: Some(ChangeType::Emergency),
        planned_start: Some(clock),
        planned_end: None,
        accepted: false,
        is_record: false,
        ours: false,
        confirmed: None,
        stamp: clock,
        seen: clock,
    };
    let record = crate::change::Revision {
        slot: Some("night".into()),
        status: None,
        procedures: vec!["failover".into(), "rebuild".into()],
        accepted: true,
        is_record: true,
        ours: true,
        confirmed: Some(clock - chrono::TimeDelta::hours(2)),
        seen: clock + chrono::TimeDelta::hours(1),
        ..revision.clone()
    };
    let one = crate::change::Revision { procedures: vec!["failover".into()], ..record.clone() };
    for revision in [revision, record, one] {
        let what = What::Revised { change_id: "C".into(), revision, place: None };
        let entry = Entry { clock, partner: "northhost".into(), what };
        let mut bytes = Vec::new();
        write_entry(&entry, &mut bytes).unwrap();
        assert_eq!(read_entry(&bytes).unwrap(), entry);
    }
    assert!(read_entry(b"{}").is_err());
}

#[test]
fn a_ledger_is_whole_as_soon_as_it_is_there() {
    let home = tempfile::tempdir().unwrap();
    // What one leaves that is killed while it makes its ledger.
    for (name, text) in [("ledger.new", ""), ("ledger.new-wal", "half"), ("ledger.lock", "")] {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    drop(Store::open(home.path()).unwrap());
    let mut names: Vec<_> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ledger.db", "ledger.lock"]);
    let db = rusqlite::Connection::open(home.path().join("ledger.db")).unwrap();
    assert!(schema::version(&db).unwrap().is_some());
}
