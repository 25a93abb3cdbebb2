//! Holds the row of a run against what the entries say of it.

use rusqlite::{OptionalExtension as _, Row, types::Value as Cell};
use serde_json::Value;

use crate::run::{Acknowledgement, Run, RunNo};
use crate::store::read::Reader;
use crate::store::{InFile, StoreError, read_acknowledgement, write_since};

/// Columns of a row that only ever say what the entry of the start says, and the verdict and state.
const COLUMNS: [&str; 8] =
    ["partner", "service", "procedure", "run_id", "start", "state", "verdict", "first_entry"];

/// How a row differs from the entries.
#[derive(Debug, Default)]
pub struct RowCheck {
    /// What is wrong with it, in words.
    pub wrong: Vec<String>,
    /// What it says of an acknowledgement that the run does not have (yet).
    pub acknowledged: Option<Acknowledgement>,
}

impl Reader<'_> {
    /// Holds the row of `run`, which is as all entries so far make it, against them. `first_entry` tells of its start;
    /// `counted` is what its time was sealed as.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn check_row(
        &self,
        run: &Run,
        first_entry: u64,
        counted: Option<(i64, i64)>,
    ) -> Result<RowCheck, StoreError> {
        let sql = "SELECT partner, service, procedure, run_id, start, state, verdict, first_entry,
            business_nanos, outside_nanos, since FROM runs WHERE no = ?1";
        let mut query = self.db().prepare_cached(sql).in_file(&self.path)?;
        let compare = |row: &Row| compare(row, run, first_entry, counted);
        let found = query.query_row([run.no], compare).optional().in_file(&self.path)?;
        let missing =
            || RowCheck { wrong: vec!["its row is missing".into()], ..RowCheck::default() };
        Ok(found.unwrap_or_else(missing))
    }

    /// The first row that tells of a run, or of its start, beyond what the entries have.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn row_beyond(
        &self,
        last_run: RunNo,
        height: u64,
    ) -> Result<Option<(RunNo, u64)>, StoreError> {
        let sql = "SELECT no, first_entry FROM runs WHERE ?1 < no OR no < 1 OR ?2 < first_entry
            ORDER BY no LIMIT 1";
        let found =
            self.db().query_row(sql, [last_run, height], |row| Ok((row.get(0)?, row.get(1)?)));
        found.optional().in_file(&self.path)
    }

    /// What SQLite finds wrong with the form of its file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn check_file(&self) -> Result<Option<String>, StoreError> {
        let said: String = self
            .db()
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .in_file(&self.path)?;
        Ok((said != "ok").then_some(said))
    }
}

fn compare(
    row: &Row,
    run: &Run,
    first_entry: u64,
    counted: Option<(i64, i64)>,
) -> rusqlite::Result<RowCheck> {
    let text = |text: &str| Cell::Text(text.into());
    let maybe = |t: &Option<std::sync::Arc<str>>| t.as_ref().map_or(Cell::Null, |t| text(t));
    let number = |n: u64| Cell::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    let want = [
        text(&run.partner),
        maybe(&run.service),
        text(&run.procedure),
        maybe(&run.run_id),
        Cell::Integer(run.start.timestamp_micros()),
        text(run.state.as_str()),
        text(run.verdict().as_str()),
        number(first_entry),
    ];
    let mut check = RowCheck::default();
    for (column, (name, want)) in COLUMNS.iter().zip(want).enumerate() {
        let found: Cell = row.get(column)?;
        if found != want {
            let (found, want) = (shown(&found), shown(&want));
            check.wrong.push(format!("its row says {name} {found}, the entries {want}"));
        }
    }
    if let Some((business, outside)) = counted
        && (row.get::<_, i64>(8)?, row.get::<_, i64>(9)?) != (business, outside)
    {
        check.wrong.push("its row has another time in business hours or outside windows".into());
    }
    compare_since(&row.get::<_, String>(10)?, run, &mut check);
    Ok(check)
}

fn compare_since(found: &str, run: &Run, check: &mut RowCheck) {
    let want = write_since(run).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let (Some(Value::Object(want)), Ok(Value::Object(found))) = (want, serde_json::from_str(found))
    else {
        return check.wrong.push("what its row says cannot be read".into());
    };
    let keys: std::collections::BTreeSet<&String> = want.keys().chain(found.keys()).collect();
    for key in keys {
        match (key.as_str(), found.get(key), want.get(key)) {
            (_, found, want) if found == want => {}
            // An approval that changes nothing else is not written to the row.
            ("approved", None, _) => {}
            ("acknowledged", Some(said), None) => match read_acknowledgement(said) {
                Ok(said) => check.acknowledged = Some(said),
                Err(error) => {
                    check.wrong.push(format!("its row holds no acknowledgement: {error}"))
                }
            },
            (key, ..) => check.wrong.push(format!("its row and the entries differ in {key:?}")),
        }
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "nothing".into(),
        Cell::Integer(n) => n.to_string(),
        Cell::Real(n) => n.to_string(),
        Cell::Text(text) => format!("{text:?}"),
        Cell::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
