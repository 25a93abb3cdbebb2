//! The fast road: alerts are posted to each Alertmanager (`POST /api/v2/alerts`) as soon as they are on record.
//!
//! Nothing is queued: each sender compares what holds now with what its Alertmanager was told, so that an outage
//! or a restart loses nothing, and what a sender remembers is bounded by the number of label sets. Whoever
//! publishes a [`Picture`] never waits for a sender.

mod post;
mod roster;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerts::{Alert, Key};
use crate::clock;
use crate::config::Alertmanager;
use crate::ledger::chain::Head;

use post::Failure;
use roster::{Post, Roster};

/// The most alerts in one post; more are posted one after the other. With words as long as they can be it
/// is below the 1 MiB that proxies usually take.
pub const ALERTS_PER_POST: usize = 64;

/// After so many refusals of what posts hold, Alertmanager is left alone for a while like one that is down: it may
/// refuse everything.
pub const REFUSALS_PER_ROUND: usize = 16;

/// An alert ends by itself this many times `resend` after its last post, as with Prometheus: if offhours dies,
/// what it said lapses, and a post that gets lost does no harm.
pub const LAPSE_RESENDS: u32 = 4;

/// How often the log is told that an Alertmanager still takes nothing, or still refuses an alert.
pub const REMIND: Duration = Duration::from_secs(60);

/// How long a failed post is waited out: doubled from the first to the longest.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

/// The usual waits.
pub const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5) };

/// What holds, and what goes into every alert.
#[derive(Clone, Debug)]
pub struct Picture {
    pub alerts: BTreeMap<Key, Arc<Alert>>,
    /// Entries on record.
    pub height: u64,
    /// Of the hash chain after that many entries.
    pub head: Head,
    pub status_url: Option<String>,
    pub runbook_url: Option<String>,
}

/// Told of each post: whether it was accepted.
pub type Count = Arc<dyn Fn(bool) + Send + Sync>;

/// One sender for each Alertmanager; they end with this value.
pub struct Senders {
    pictures: watch::Sender<Option<Arc<Picture>>>,
    count: Count,
    backoff: Backoff,
    employed: Vec<(Alertmanager, JoinHandle<()>)>,
}

impl Senders {
    pub fn new(count: Count, backoff: Backoff) -> Senders {
        let (pictures, _) = watch::channel(None);
        Senders { pictures, count, backoff, employed: Vec::new() }
    }

    /// Has one sender for each of `wanted`. Those whose settings stay the same go on with what they know; what
    /// another one has posted lapses.
    pub fn employ(&mut self, wanted: &[Alertmanager]) {
        self.employed.retain(|(settings, task)| {
            let stays = wanted.contains(settings);
            if !stays {
                task.abort();
            }
            stays
        });
        for settings in wanted {
            if self.employed.iter().any(|(known, _)| known == settings) {
                continue;
            }
            let sender = Sender {
                roster: Roster::new(settings.resend, settings.resolve_delay),
                settings: Arc::new(settings.clone()),
                count: self.count.clone(),
                trouble: Trouble::new(self.backoff),
            };
            let task = tokio::spawn(sender.run(self.pictures.subscribe()));
            self.employed.push((settings.clone(), task));
        }
    }

    /// Where a sender posted to that has ended, though none ever should: it panicked.
    pub fn ended(&self) -> Option<String> {
        let mut tasks = self.employed.iter();
        let (settings, _) = tasks.find(|(_, task)| task.is_finished())?;
        Some(settings.peer.url.to_string())
    }

    pub fn is_empty(&self) -> bool {
        self.employed.is_empty()
    }

    /// Makes a picture known; waits for nobody.
    pub fn publish(&self, picture: Picture) {
        self.pictures.send_replace(Some(Arc::new(picture)));
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.employed.iter().for_each(|(_, task)| task.abort());
    }
}

/// What talks to one Alertmanager.
struct Sender {
    settings: Arc<Alertmanager>,
    roster: Roster,
    count: Count,
    trouble: Trouble,
}

impl Sender {
    async fn run(mut self, mut pictures: watch::Receiver<Option<Arc<Picture>>>) {
        loop {
            let picture = pictures.borrow_and_update().clone();
            if let Some(picture) = picture {
                self.roster.look(&picture.alerts, Moment::now());
                if let Some(wait) = self.post_what_is_due(&picture).await {
                    // Not cut short by a new picture: whoever is in trouble is not asked more often.
                    tokio::time::sleep(wait).await;
                    continue;
                }
            }
            let next = self.roster.next();
            let later = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = pictures.changed() => if changed.is_err() { return },
                () = later => {}
            }
        }
    }

    /// Posts; gives back how long to wait after a failure.
    ///
    /// A post whose content is refused is halved until it is known which alert it is: one that is not taken, or a
    /// post that is too long for a proxy, holds up no other.
    async fn post_what_is_due(&mut self, picture: &Picture) -> Option<Duration> {
        let due = self.roster.due(Moment::now());
        let alike = due.chunk_by(|one, next| one.was_refused == next.was_refused);
        let mut left: Vec<_> = alike.flat_map(|posts| posts.chunks(ALERTS_PER_POST)).collect();
        left.reverse();
        let mut refusals = 0;
        while let Some(posts) = left.pop() {
            let body = wire::body(posts, picture, &self.settings, clock::now());
            let outcome = post::post(&self.settings, body).await;
            (self.count)(outcome.is_ok());
            let Err(failure) = outcome else {
                self.trouble.is_over(&self.settings);
                self.accepted(posts);
                continue;
            };
            refusals += usize::from(failure.is_of_content());
            match posts {
                _ if !failure.is_of_content() => return Some(self.wait_after(&failure)),
                [one] => self.refused(one, &failure),
                _ => {
                    let (first, second) = posts.split_at(posts.len() / 2);
                    left.extend([second, first]);
                }
            }
            if refusals == REFUSALS_PER_ROUND {
                return Some(self.wait_after(&failure));
            }
        }
        None
    }

    fn wait_after(&mut self, failure: &Failure) -> Duration {
        self.trouble.tell(&self.settings, failure)
    }

    fn refused(&mut self, post: &Post, failure: &Failure) {
        if self.roster.refused(post, Moment::now(), self.trouble.backoff) {
            let (name, labels) = &post.key;
            let (partner, procedure) = (&*labels.partner, &*labels.procedure);
            tracing::warn!(alert = name.as_str(), partner, procedure, to = %self.settings.peer.url, error = %failure, "this alert is refused, retrying");
        }
    }

    fn accepted(&mut self, posts: &[Post]) {
        for post in posts {
            if self.roster.accepted(post, Moment::now()) {
                let (name, labels) = &post.key;
                let (alert, state) =
                    (name.as_str(), if post.is_over { "resolved" } else { "firing" });
                let (partner, procedure) = (&*labels.partner, &*labels.procedure);
                tracing::info!(alert, state, partner, procedure, to = %self.settings.peer.url, "alert posted");
            }
        }
    }
}

/// A time in which every post fails.
struct Trouble {
    backoff: Backoff,
    next: Duration,
    since: Option<Moment>,
    told: Option<Moment>,
}

impl Trouble {
    fn new(backoff: Backoff) -> Trouble {
        Trouble { backoff, next: backoff.first, since: None, told: None }
    }

    /// Tells the log now and then; gives back how long to wait.
    fn tell(&mut self, settings: &Alertmanager, failure: &Failure) -> Duration {
        self.since.get_or_insert_with(Moment::now);
        if self.told.is_none_or(|told| REMIND <= told.elapsed()) {
            tracing::warn!(to = %settings.peer.url, error = %failure, "alerts cannot be posted, retrying");
            self.told = Some(Moment::now());
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.backoff.longest);
        wait
    }

    fn is_over(&mut self, settings: &Alertmanager) {
        if let Some(since) = self.since {
            let seconds = since.elapsed().as_secs();
            tracing::info!(to = %settings.peer.url, seconds, "alerts can be posted again");
        }
        *self = Trouble::new(self.backoff);
    }
}
