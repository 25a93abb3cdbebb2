//! Alerts in the form of Alertmanager's API, version 2.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;

use crate::alerts::SEVERITY;
use crate::config::Alertmanager;
use crate::notify_alertmanager::roster::Post;
use crate::notify_alertmanager::{LAPSE_RESENDS, Picture};
use crate::time::{Instant, rfc3339};

/// A `postableAlert`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Postable<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'a str, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

/// The body of one post.
pub(super) fn body(
    posts: &[Post],
    picture: &Picture,
    settings: &Alertmanager,
    now: Instant,
) -> Vec<u8> {
    let all: Vec<Postable> = posts.iter().map(|p| postable(p, picture, settings, now)).collect();
    // Maps with text as keys can always be written.
    serde_json::to_vec(&all).unwrap_or_default()
}

fn postable<'a>(
    post: &'a Post,
    picture: &'a Picture,
    settings: &'a Alertmanager,
    now: Instant,
) -> Postable<'a> {
    let (name, labels) = &post.key;
    let external = settings.external_labels.iter();
    let mut all: BTreeMap<&str, &str> = external.map(|(k, v)| (k.as_str(), v.as_str())).collect();
    all.extend([
        ("alertname", name.as_str()),
        ("severity", SEVERITY),
        ("partner", &*labels.partner),
        ("affected_service", &*labels.service),
        ("procedure", &*labels.procedure),
    ]);
    let mut annotations = BTreeMap::from([
        ("summary", post.alert.summary.clone()),
        ("description", post.alert.description.clone()),
        ("ledger_height", picture.height.to_string()),
        ("ledger_head", picture.head.hex()),
    ]);
    if let Some(prefix) = &picture.runbook_url {
        annotations.insert("runbook_url", format!("{prefix}/{}", name.as_str()));
    }
    let lapse = TimeDelta::from_std(settings.resend * LAPSE_RESENDS).unwrap_or(TimeDelta::MAX);
    let ends_at = match post.is_over {
        true => now,
        false => now.checked_add_signed(lapse).unwrap_or(now),
    };
    Postable {
        labels: all,
        annotations,
        starts_at: rfc3339(post.alert.since.min(now)),
        ends_at: rfc3339(ends_at),
        generator_url: picture.status_url.as_deref(),
    }
}
