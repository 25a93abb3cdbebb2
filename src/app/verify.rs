//! Verifies a ledger: its hash chain, the rows of its runs, and every final verdict, judged again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::Config;
use crate::ledger::chain::{GENESIS, Head};
use crate::ledger::rejudging::{Sealing, differences, judge_again};
use crate::ledger::{Entry, Ledger, What};
use crate::run::{Acknowledgement, Run, RunNo};
use crate::store::{Link, Reader, StoreError, Stored};

/// Faults of runs that are told; beyond it they are counted.
pub const TOLD_MAX: usize = 100;

/// The first record that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Number of the entry.
    pub entry: u64,
    pub what: String,
}

/// Something about one run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wrong {
    pub run: RunNo,
    pub what: String,
}

/// What came to light.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Verified {
    /// Entries that are whole, from the first on.
    pub height: u64,
    /// Of the hash chain after them, in hexadecimal.
    pub head: String,
    /// The first bad entry; what comes after it was not looked at.
    pub fault: Option<Fault>,
    /// Rows and verdicts that do not agree with the entries.
    pub wrong: Vec<Wrong>,
    /// How many more than those.
    pub more_wrong: u64,
    /// Policies that are not what their digests say.
    pub wrong_policies: Vec<String>,
    /// What the database finds wrong with its file.
    pub wrong_file: Option<String>,
    pub runs: u64,
    /// Sealed runs.
    pub sealed: u64,
    /// Those that were judged again.
    pub judged: u64,
    /// Those that were not, by the digest of the policy that is not at hand, and why not.
    pub not_at_hand: BTreeMap<String, (u64, String)>,
    /// The heads at the heights that were asked for.
    #[serde(skip)]
    pub heads: BTreeMap<u64, Head>,
}

impl Verified {
    /// Whether nothing was found that is not as it was written.
    pub fn is_whole(&self) -> bool {
        self.fault.is_none()
            && self.wrong.is_empty()
            && self.wrong_policies.is_empty()
            && self.wrong_file.is_none()
    }
}

/// Verifies the ledger. `heights`: where the head is wanted. `progress` is told of each entry.
pub fn verify(reader: &Reader, heights: &BTreeSet<u64>, mut progress: impl FnMut(u64)) -> Verified {
    let mut auditor = Auditor::new(reader);
    let mut heads = BTreeMap::from([(0, GENESIS)]);
    let (mut height, mut head) = (0, GENESIS);
    let walked = reader.hold_still().and_then(|()| {
        reader.links(|link| {
            auditor.take(&link)?;
            (height, head) = (link.number, link.head);
            if heights.contains(&link.number) {
                heads.insert(link.number, link.head);
            }
            progress(1);
            Ok(())
        })
    });
    let walked = walked.and_then(|_| auditor.finish(height));
    let file = reader.check_file();
    Verified {
        height,
        head: head.hex(),
        fault: walked.err().map(|error| fault(height, &error)),
        wrong_file: file.unwrap_or_else(|error| Some(error.to_string())),
        heads,
        ..auditor.told
    }
}

/// An error that names no entry came from the one after the last that was whole.
fn fault(height: u64, error: &StoreError) -> Fault {
    match error {
        StoreError::Damaged { entry, why, .. } => Fault { entry: *entry, what: why.clone() },
        StoreError::Broken { source, .. } | StoreError::Sqlite { source, .. } => {
            Fault { entry: height + 1, what: format!("it cannot be read: {source}") }
        }
        other => Fault { entry: height + 1, what: other.to_string() },
    }
}

struct Auditor<'r> {
    reader: &'r Reader<'r>,
    ledger: Ledger,
    /// By run: the entry of its start, and what its time was sealed as.
    started: BTreeMap<RunNo, Start>,
    /// Rows that say that a run was acknowledged of which no entry has said so yet.
    acknowledged: BTreeMap<RunNo, Acknowledgement>,
    policies: Policies<'r>,
    told: Verified,
}

#[derive(Clone, Copy)]
struct Start {
    entry: u64,
    sealed: Option<(i64, i64)>,
}

impl<'r> Auditor<'r> {
    fn new(reader: &'r Reader<'r>) -> Auditor<'r> {
        let mut auditor = Auditor {
            reader,
            ledger: Ledger::default(),
            started: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            policies: Policies { reader, stored: Vec::new(), read: BTreeMap::new() },
            told: Verified {
                height: 0,
                head: String::new(),
                fault: None,
                wrong: Vec::new(),
                more_wrong: 0,
                wrong_policies: Vec::new(),
                wrong_file: None,
                runs: 0,
                sealed: 0,
                judged: 0,
                not_at_hand: BTreeMap::new(),
                heads: BTreeMap::new(),
            },
        };
        match reader.policies() {
            Ok(stored) => auditor.policies.stored = stored,
            Err(error) => auditor.told.wrong_policies.push(error.to_string()),
        }
        let digests: BTreeSet<Arc<str>> =
            auditor.policies.stored.iter().map(|stored| stored.digest.clone()).collect();
        for digest in digests {
            if let Err(NotAtHand::Wrong(why)) = auditor.policies.of_digest(&digest) {
                auditor.told.wrong_policies.push(format!("policy {digest}: {why}"));
            }
        }
        auditor
    }

    fn take(&mut self, link: &Link) -> Result<(), StoreError> {
        let Entry { clock, what, .. } = &link.entry;
        if let What::Started { run, verdict } = what {
            self.told.runs += 1;
            if run.verdict() != *verdict {
                self.wrong(run.no, "the verdict of its start is not what its reasons add up to");
            }
            self.started.insert(run.no, Start { entry: link.number, sealed: None });
        }
        let sealing = match what {
            What::Sealed { run, .. } => self.ledger.run(*run).cloned(),
            _ => None,
        };
        if let (Some(run), What::Sealed { verdict, business_nanos, outside_nanos, digest, .. }) =
            (&sealing, what)
        {
            let (business_nanos, outside_nanos) = (*business_nanos, *outside_nanos);
            let sealing = Sealing { run, verdict: *verdict, business_nanos, outside_nanos };
            self.judge(&sealing, link.number, digest, *clock);
            if let Some(start) = self.started.get_mut(&run.no) {
                start.sealed = Some((business_nanos, outside_nanos));
            }
        }
        if let What::Acknowledged { run, acknowledgement } = what
            && self.acknowledged.remove(run).is_some_and(|said| said != *acknowledgement)
        {
            self.wrong(*run, "its row and the entries differ in who acknowledged it, when and how");
        }
        // Held any longer, the run would be copied when the entry is adopted.
        drop(sealing);
        self.ledger.adopt(&link.entry);
        let forgotten = self.ledger.take_forgotten();
        forgotten.iter().try_for_each(|run| self.check_row(run))
    }

    fn finish(&mut self, height: u64) -> Result<(), StoreError> {
        let left: Vec<Arc<Run>> = self.ledger.runs().cloned().collect();
        left.iter().try_for_each(|run| self.check_row(run))?;
        for no in std::mem::take(&mut self.acknowledged).into_keys() {
            self.wrong(no, "its row says that it was acknowledged, and no entry does");
        }
        match self.reader.row_beyond(self.ledger.last_run(), height)? {
            Some((no, entry)) => {
                let what =
                    format!("it is missing: the row of run {no} says that it tells of its start");
                let path = self.reader.path().to_owned();
                Err(StoreError::Damaged { path, entry, why: what })
            }
            None => Ok(()),
        }
    }

    fn check_row(&mut self, run: &Arc<Run>) -> Result<(), StoreError> {
        let Some(start) = self.started.remove(&run.no) else { return Ok(()) };
        let check = self.reader.check_row(run, start.entry, start.sealed)?;
        if let Some(acknowledged) = check.acknowledged {
            self.acknowledged.insert(run.no, acknowledged);
        }
        check.wrong.iter().for_each(|what| self.wrong(run.no, what));
        Ok(())
    }

    fn judge(
        &mut self,
        sealed: &Sealing,
        number: u64,
        digest: &Arc<str>,
        clock: crate::time::Instant,
    ) {
        self.told.sealed += 1;
        let no = sealed.run.no;
        if sealed.run.verdict() != sealed.verdict {
            self.wrong(no, "it was sealed with a verdict that its reasons do not add up to");
        }
        let start = self.started.get(&no).map_or(0, |start| start.entry);
        let at_start = self.policies.digest_at(start);
        let found = at_start.ok_or(NotAtHand::Missing).and_then(|at_start| {
            Ok((self.policies.of_digest(&at_start)?, self.policies.of_digest(digest)?, at_start))
        });
        let (first, last, at_start) = match found {
            Ok(found) => found,
            Err(why) => {
                let count = self.told.not_at_hand.entry(digest.to_string());
                count.or_insert_with(|| (0, why.to_string())).0 += 1;
                return;
            }
        };
        let exact = at_start == *digest && self.policies.stays(start, number);
        let Some(judged) = judge_again(sealed.run, &first.policy, &last.policy, clock) else {
            return self.wrong(no, "its policy does not know its partner");
        };
        self.told.judged += 1;
        differences(sealed, &judged, exact).iter().for_each(|what| self.wrong(no, what));
    }

    fn wrong(&mut self, run: RunNo, what: &str) {
        match self.told.wrong.len() < TOLD_MAX {
            true => self.told.wrong.push(Wrong { run, what: what.to_owned() }),
            false => self.told.more_wrong += 1,
        }
    }
}

/// Why a policy cannot be asked.
#[derive(Clone, Debug, thiserror::Error)]
enum NotAtHand {
    #[error("it is not on record")]
    Missing,
    /// This offhours does not read it any more.
    #[error("it is on record, and this offhours does not read it: {0}")]
    Unread(String),
    /// It is not what its digest says.
    #[error("{0}")]
    Wrong(String),
}

/// The policies on record, each read once.
struct Policies<'r> {
    reader: &'r Reader<'r>,
    stored: Vec<Stored>,
    read: BTreeMap<Arc<str>, Result<Arc<Config>, NotAtHand>>,
}

impl Policies<'_> {
    /// The policy that was in force when an entry was made.
    fn digest_at(&self, entry: u64) -> Option<Arc<str>> {
        let before = self.stored.iter().rev().find(|stored| stored.height < entry);
        before.map(|stored| stored.digest.clone())
    }

    /// Whether one policy was in force from one entry to another.
    fn stays(&self, from: u64, to: u64) -> bool {
        !self.stored.iter().any(|stored| from <= stored.height && stored.height < to)
    }

    fn of_digest(&mut self, digest: &Arc<str>) -> Result<Arc<Config>, NotAtHand> {
        if let Some(known) = self.read.get(digest) {
            return known.clone();
        }
        let found = self.look_up(digest);
        self.read.insert(digest.clone(), found.clone());
        found
    }

    fn look_up(&self, digest: &Arc<str>) -> Result<Arc<Config>, NotAtHand> {
        if !self.stored.iter().any(|stored| stored.digest == *digest) {
            return Err(NotAtHand::Missing);
        }
        let text = self.reader.policy_text(digest).map_err(NotAtHand::Wrong)?;
        let config = text.read().map_err(|error| NotAtHand::Unread(error.to_string()))?;
        match config.policy.digest == *digest {
            true => Ok(Arc::new(config)),
            false => Err(NotAtHand::Wrong("its text is not what its digest says".into())),
        }
    }
}
