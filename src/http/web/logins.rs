//! Logins that were checked lately, so that a scrape does not pay for bcrypt each time; and the turns
//! of those that were not.

use ring::hmac;
use ring::rand::SystemRandom;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::Semaphore;

/// Good logins that are remembered, and bad ones; apart, so that no flood of bad ones makes a good one dear.
const REMEMBERED_MAX: usize = 128;

/// What stands for a login: nothing can be learned from it or made to fit it.
pub(super) type Mark = [u8; 32];

/// The logins of the recent past.
pub(super) struct Logins {
    /// Made anew at each start, kept nowhere.
    key: hmac::Key,
    good: Mutex<Recent>,
    bad: Mutex<Recent>,
    /// One check at a time, so that a flood of logins takes one processor at most.
    pub(super) bench: Arc<Semaphore>,
    queues: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

/// The last few marks.
#[derive(Default)]
struct Recent {
    known: HashSet<Mark>,
    order: VecDeque<Mark>,
}

impl Logins {
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn new() -> Result<Logins, ring::error::Unspecified> {
        Ok(Logins {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            good: Mutex::default(),
            bad: Mutex::default(),
            bench: Arc::new(Semaphore::new(1)),
            queues: Mutex::default(),
        })
    }

    /// The mark of a login. Each field goes in with its length: fields joined without a boundary
    /// can be cut elsewhere and then mean another login (CVE-2022-46146).
    pub(super) fn mark(&self, name: &str, hash: &str, password: &[u8]) -> Mark {
        let mut context = hmac::Context::with_key(&self.key);
        for field in [name.as_bytes(), hash.as_bytes(), password] {
            context.update(&(field.len() as u64).to_le_bytes());
            context.update(field);
        }
        let mut mark = Mark::default();
        mark.copy_from_slice(context.sign().as_ref());
        mark
    }

    /// What was found when this login was checked; `None` if it was not, or long ago.
    pub(super) fn recall(&self, mark: &Mark) -> Option<bool> {
        let is_in = |recent: &Mutex<Recent>| lock(recent).known.contains(mark);
        if is_in(&self.good) { Some(true) } else { is_in(&self.bad).then_some(false) }
    }

    pub(super) fn remember(&self, mark: Mark, is_right: bool) {
        lock(if is_right { &self.good } else { &self.bad }).add(mark);
    }

    /// The queue of one client, in which one of its logins at a time stands for the bench: so a
    /// client that sends many does not keep others from theirs.
    pub(super) fn queue_of(&self, client: IpAddr) -> Arc<Semaphore> {
        let mut queues = lock(&self.queues);
        let known = queues.get(&network(client)).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            queues.retain(|_, queue| 0 < queue.strong_count());
            let queue = Arc::new(Semaphore::new(1));
            queues.insert(network(client), Arc::downgrade(&queue));
            queue
        })
    }
}

impl Recent {
    fn add(&mut self, mark: Mark) {
        if !self.known.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if REMEMBERED_MAX < self.order.len()
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An IPv4 address, or the first half of an IPv6 address: one host has all of the other half.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_boundaries() {
        let logins = Logins::new().unwrap();
        let fields =
            [("a", "b", "c"), ("ab", "", "c"), ("", "ab", "c"), ("a", "bc", ""), ("", "", "abc")];
        let mut marks = HashSet::new();
        for (name, hash, password) in fields {
            assert!(marks.insert(logins.mark(name, hash, password.as_bytes())), "{name} {hash}");
        }
        assert_eq!(logins.mark("a", "b", b"c"), logins.mark("a", "b", b"c"));
        // Another process, another key.
        assert_ne!(logins.mark("a", "b", b"c"), Logins::new().unwrap().mark("a", "b", b"c"));
    }

    #[test]
    fn a_flood_of_bad_logins_is_forgotten_and_the_good_one_is_not() {
        let logins = Logins::new().unwrap();
        let good = logins.mark("a", "b", b"right");
        assert_eq!(logins.recall(&good), None);
        logins.remember(good, true);
        for n in 0..10_000_u32 {
            let mark = logins.mark("a", "b", &n.to_le_bytes());
            logins.remember(mark, false);
            assert_eq!(logins.recall(&mark), Some(false));
        }
        assert_eq!(logins.recall(&good), Some(true));
        let bad = lock(&logins.bad);
        assert_eq!((bad.known.len(), bad.order.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    }

    #[test]
    fn each_network_has_a_queue_that_goes_away_with_its_last_user() {
        let logins = Logins::new().unwrap();
        let queue = |text: &str| logins.queue_of(text.parse().unwrap());
        let held = queue("127.0.0.1");
        assert!(Arc::ptr_eq(&held, &queue("::ffff:127.0.0.1")));
        assert!(!Arc::ptr_eq(&held, &queue("127.0.0.2")));
        let six = queue("2001:db8::1");
        assert!(Arc::ptr_eq(&six, &queue("2001:db8::ffff:1")));
        assert!(!Arc::ptr_eq(&six, &queue("2001:db8:0:1::1")));
        drop(six);
        queue("127.0.0.3");
        assert_eq!(lock(&logins.queues).len(), 2);
    }
}
