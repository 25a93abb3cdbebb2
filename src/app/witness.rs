//! Prometheus as a witness: which heights and heads of the ledger it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::client;
use crate::config::Peer;
use crate::ledger::chain::Head;
use crate::time::{Instant, rfc3339};

/// The time asked about is cut into so many pieces; of each, the last sample is held against the ledger.
const PIECES: i32 = 1_000;

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The number of entries, and the first bits of the head, at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// End of the piece of time in which this was seen last.
    pub by: Instant,
    pub height: u64,
    pub first_bits: u64,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Testimony {
    /// The most entries that were ever seen.
    pub height_max: u64,
    /// In the order of time.
    pub sightings: Vec<Sighting>,
}

/// Why there is no testimony.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    #[error("Prometheus saw the ledgers of several offhours: say --instance, one of {0}")]
    Several(String),
    #[error("{0}")]
    Unasked(String),
}

/// Asks what was seen from `since` to `now` of the offhours that is scraped as `instance`.
///
/// # Errors
/// Prometheus cannot be asked, knows of none, or of several.
pub async fn ask(
    peer: &Arc<Peer>,
    instance: Option<&str>,
    (since, now): (Instant, Instant),
) -> Result<Testimony, Silence> {
    let labels = instance.map_or(String::new(), |name| format!("{{instance={name:?}}}"));
    // Prometheus is asked in whole seconds: of this one as well.
    let now = now + TimeDelta::seconds(1);
    let range = (now - since).max(TimeDelta::seconds(1));
    let query = format!("max_over_time(offhours_ledger_entries{labels}[{}s])", range.num_seconds());
    let at = seconds(now);
    let found = get(peer, &format!("/api/v1/query?query={}&time={at}", escaped(&query))).await?;
    let instances: BTreeSet<&str> = found.iter().map(Series::instance).collect();
    if 1 < instances.len() {
        let names: Vec<&str> = instances.into_iter().collect();
        return Err(Silence::Several(names.join(", ")));
    }
    let height_max = found.iter().filter_map(|series| series.value.as_ref()?.number()).max();
    let nothing = || Silence::Unasked("Prometheus has never seen this ledger".into());
    let height_max = height_max.ok_or_else(nothing)?;
    let step_s = (range / PIECES).num_seconds() + 1;
    let over = |name: &str| {
        let query = format!("last_over_time({name}{labels}[{step_s}s])");
        let start = seconds(now - TimeDelta::seconds(step_s) * (PIECES - 1));
        let query = escaped(&query);
        format!("/api/v1/query_range?query={query}&start={start}&end={at}&step={step_s}")
    };
    let heights = get(peer, &over("offhours_ledger_entries")).await?;
    let heads = get(peer, &over("offhours_ledger_head")).await?;
    Ok(Testimony { height_max, sightings: sightings(&heights, &heads) })
}

impl Testimony {
    /// The heights at which the head of the ledger is wanted.
    pub fn heights(&self) -> BTreeSet<u64> {
        self.sightings.iter().map(|sighting| sighting.height).collect()
    }

    /// What does not agree with a ledger of this height and these heads, in words.
    pub fn against(&self, height: u64, heads: &BTreeMap<u64, Head>) -> Vec<String> {
        let mut told = Vec::new();
        if height < self.height_max {
            told.push(format!(
                "Prometheus saw {} entries, the ledger has {height}: its end is cut off from entry {} on",
                self.height_max,
                height + 1
            ));
        }
        let differs = |s: &&Sighting| {
            heads.get(&s.height).is_some_and(|head| head.first_bits() != s.first_bits)
        };
        if let Some(first) = self.sightings.iter().filter(differs).min_by_key(|s| s.height) {
            told.push(format!(
                "Prometheus saw another head after entry {}, by {}: that entry or one before it is not the one of then",
                first.height,
                rfc3339(first.by)
            ));
        }
        told
    }
}

/// Heights and heads that were seen at the same moment.
fn sightings(heights: &[Series], heads: &[Series]) -> Vec<Sighting> {
    let mut found = BTreeMap::new();
    for series in heights {
        let twin = heads.iter().find(|other| other.is_twin_of(series));
        let heads = twin.map_or(&[][..], |twin| &twin.values);
        let heads: BTreeMap<i64, u64> = heads.iter().filter_map(Sample::pair).collect();
        for (at, height) in series.values.iter().filter_map(Sample::pair) {
            let by = chrono::DateTime::from_timestamp(at, 0);
            if let (Some(first_bits), Some(by)) = (heads.get(&at), by) {
                found.insert((by, height), Sighting { by, height, first_bits: *first_bits });
            }
        }
    }
    found.into_values().collect()
}

#[derive(Deserialize)]
struct Reply {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

/// One series of an answer: <https://prometheus.io/docs/prometheus/latest/querying/api/>.
#[derive(Debug, Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: Option<Sample>,
    #[serde(default)]
    values: Vec<Sample>,
}

impl Series {
    fn instance(&self) -> &str {
        self.metric.get("instance").map_or("", String::as_str)
    }

    /// Whether it has the same labels, but for the name.
    fn is_twin_of(&self, other: &Series) -> bool {
        let labels = |series: &Series| {
            let mut labels = series.metric.clone();
            labels.remove("__name__");
            labels
        };
        labels(self) == labels(other)
    }
}

/// Seconds since 1970, and a number as text.
#[derive(Debug, Deserialize)]
struct Sample(f64, String);

impl Sample {
    fn number(&self) -> Option<u64> {
        let value: f64 = self.1.parse().ok()?;
        // What is exported is a whole number of at most 53 bits.
        (0.0 <= value && value <= (1_u64 << 53) as f64).then_some(value as u64)
    }

    fn pair(&self) -> Option<(i64, u64)> {
        Some((self.0 as i64, self.number()?))
    }
}

async fn get(peer: &Arc<Peer>, path: &str) -> Result<Vec<Series>, Silence> {
    let unasked = |why: String| Silence::Unasked(format!("{}: {why}", peer.url));
    let answer = client::get(peer, path, ANSWER_BYTES_MAX).await;
    let answer = answer.map_err(|failure| unasked(failure.to_string()))?;
    let reply: Result<Reply, _> = serde_json::from_slice(&answer.body);
    match reply {
        Ok(Reply { status, data: Some(data), .. }) if status == "success" => Ok(data.result),
        Ok(reply) => Err(unasked(format!("answered {}: {}", answer.status, reply.error))),
        Err(_) => Err(unasked(format!("answered {}, but not as Prometheus does", answer.status))),
    }
}

/// Whole seconds since 1970.
fn seconds(t: Instant) -> i64 {
    t.timestamp()
}

/// As a value in the query of a URL (RFC 3986).
fn escaped(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._~".contains(b);
    text.bytes()
        .map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests;
