//! What is to be paged: looked up after each commit, in a task of its own, and handed to the senders.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use crate::alerts::{Finder, Watched};
use crate::app::shared::Shared;
use crate::clock;
use crate::notify_alertmanager::{BACKOFF, Picture, Senders};

/// Some alerts come and go with the time alone: this often they are looked up without a commit.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The least time between two looks.
const BREATH: Duration = Duration::from_millis(5);

/// A look that takes long is not taken more often than this many times its length: the loop needs the machine.
const BREATH_LOOKS: u32 = 4;

/// Keeps the senders posted for as long as the program lives. The loop never waits for it.
///
/// Gives back why it cannot go on: nothing would be paged any more, so the program has to end.
pub async fn keep_posted(shared: Arc<Shared>) -> String {
    let counting = shared.clone();
    let count = move |accepted: bool| {
        let result = if accepted { "ok" } else { "error" };
        counting.edit_own(|own| *own.alerts_sent.entry(result.into()).or_default() += 1);
    };
    let mut finder = Finder::default();
    let mut senders = Senders::new(Arc::new(count), BACKOFF);
    loop {
        senders.employ(&shared.config().paging.alertmanagers);
        if !senders.is_empty() {
            let begun = Moment::now();
            let looking = shared.clone();
            let mut own = std::mem::take(&mut finder);
            let look = tokio::task::spawn_blocking(move || (picture(&looking, &mut own), own));
            match look.await {
                Ok((picture, own)) => {
                    senders.publish(picture);
                    finder = own;
                }
                Err(error) => return format!("what is to be paged cannot be looked up: {error}"),
            }
            if let Some(url) = senders.ended() {
                return format!("the sender to {url} ended unexpectedly");
            }
            tokio::time::sleep(BREATH.max(begun.elapsed() * BREATH_LOOKS)).await;
        }
        tokio::select! {
            () = shared.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

fn picture(shared: &Shared, finder: &mut Finder) -> Picture {
    let (config, now) = (shared.config(), clock::now());
    let watched = Watched::of(&shared.ledger(), &config.policy, now);
    // A run that has long ended may look open while its log is still being caught up with.
    let watched = if shared.is_ready() { watched } else { watched.without_open() };
    let own = shared.own();
    Picture {
        alerts: finder.find(&watched, &config.policy, now),
        height: own.ledger_entries,
        head: own.ledger_head,
        status_url: config.paging.status_url.clone(),
        runbook_url: config.paging.runbook_url.clone(),
    }
}
