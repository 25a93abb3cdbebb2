//! Which run a person means.

use crate::run::{Run, RunNo};
use crate::store::{Reader, RunFilter, StoreError};

/// Finds the one run that a person means: its number in the ledger, its id, or `partner/id`. Of several runs
/// with the same id the latest is meant. A number counts for more than an id that looks like one, because pages
/// and links name runs by number; such an id is reached as `partner/id`.
///
/// # Errors
/// There is none, or runs of several partners have the id.
pub fn find_run(reader: &Reader, name: &str) -> Result<Run, String> {
    let latest = find_runs(reader, name)?.into_iter().next();
    latest.ok_or_else(|| format!("there is no run {name}"))
}

/// [`find_run`], but all runs that began with the same line where a person names them by their id: one for each
/// service. The newest first, never none.
///
/// # Errors
/// There is none, or runs of several partners have the id.
pub fn find_runs(reader: &Reader, name: &str) -> Result<Vec<Run>, String> {
    let text = |e: StoreError| e.to_string();
    let by_id = |partner: Option<&str>, id: &str| {
        let filter = RunFilter {
            partner: partner.map(String::from),
            run_id: Some(id.into()),
            ..RunFilter::default()
        };
        reader.runs(&filter).map_err(text)
    };
    if let Ok(no) = name.parse::<RunNo>()
        && let Some((run, ..)) = reader.run(no).map_err(text)?
    {
        return Ok(vec![run]);
    }
    let mut found = by_id(None, name)?;
    if found.is_empty()
        && let Some((partner, id)) = name.split_once('/')
    {
        found = by_id(Some(partner), id)?;
    }
    let mut partners: Vec<&str> = found.iter().map(|(run, ..)| &*run.partner).collect();
    partners.sort_unstable();
    partners.dedup();
    if let [_, _, ..] = partners.as_slice() {
        let partners = partners.join(", ");
        return Err(format!(
            "{name} is a run of several partners ({partners}); say PARTNER/{name}"
        ));
    }
    let Some(group) = found.first().map(|(run, ..)| run.group) else {
        return Err(format!("there is no run {name}; `offhours runs` lists them"));
    };
    let runs = found.into_iter().map(|(run, ..)| run);
    Ok(runs.filter(|run| run.group == group).collect())
}
