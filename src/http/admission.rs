//! How many connections may be open: a fixed number, of which a new one is worth more than one whose client keeps us
//! waiting.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How often it is looked again who may be asked to leave, while nobody has left.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Hands out places. When there is none left, a connection is asked to leave: of those that owe us a request the one
/// that has been waited for longest, else of those that do not read the one that has not for longest.
#[derive(Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    idle: Queue,
    deaf: Queue,
}

/// Connections that may be asked to leave, the one that waits longest first.
#[derive(Debug, Default)]
struct Queue {
    leave: Notify,
    waiting: AtomicUsize,
}

impl Admission {
    pub(super) fn new(places: usize) -> Admission {
        let places = Arc::new(Semaphore::new(places));
        Admission { places, idle: Queue::default(), deaf: Queue::default() }
    }

    /// A place, held until the permit is dropped; waits until there is one.
    ///
    /// # Errors
    /// Never: the places are not taken away while this exists.
    pub(super) async fn enter(&self) -> io::Result<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        loop {
            let only_deaf = self.idle.is_empty() && !self.deaf.is_empty();
            let queue = if only_deaf { &self.deaf } else { &self.idle };
            queue.leave.notify_one();
            let place = timeout(ASK_AGAIN, self.places.clone().acquire_owned()).await;
            // With nobody there the request to leave is kept for the first who will be; the newcomer must not be sent
            // away by its own request.
            pin!(queue.leave.notified()).enable();
            if let Ok(place) = place {
                return place.map_err(io::Error::other);
            }
        }
    }

    /// Resolves when the connection that waits here, being the one that has waited longest, should give up its place.
    pub(super) async fn asked_to_leave(&self) {
        self.idle.asked().await;
    }

    /// The same for a connection whose client does not read what it asked for.
    pub(super) async fn asked_to_give_up(&self) {
        self.deaf.asked().await;
    }

    /// Asks all who wait there: what they do not read takes the memory that others need.
    pub(super) fn make_room(&self) {
        self.deaf.leave.notify_waiters();
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    async fn asked(&self) {
        let _here = Here::enter(&self.waiting);
        self.leave.notified().await;
    }
}

/// Counts who waits, until it is dropped.
struct Here<'a>(&'a AtomicUsize);

impl Here<'_> {
    fn enter(waiting: &AtomicUsize) -> Here<'_> {
        waiting.fetch_add(1, Ordering::Relaxed);
        Here(waiting)
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_newcomer_makes_the_longest_waiting_leave() {
        let admission = Admission::new(2);
        let (mut first, mut second) =
            (pin!(admission.asked_to_leave()), pin!(admission.asked_to_leave()));
        let Poll::Ready(Ok(place)) = poll(pin!(admission.enter())) else {
            panic!("no first place")
        };
        let Poll::Ready(Ok(_other)) = poll(pin!(admission.enter())) else {
            panic!("no second place")
        };
        assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
        let mut newcomer = pin!(admission.enter());
        assert!(poll(newcomer.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(first.as_mut()).is_ready());
        drop(place);
        assert!(matches!(poll(newcomer.as_mut()), Poll::Ready(Ok(_))));
        assert!(poll(second.as_mut()).is_pending());
    }

    #[tokio::test]
    async fn a_request_to_leave_that_nobody_heard_lapses() {
        let admission = Admission::new(1);
        let Poll::Ready(Ok(place)) = poll(pin!(admission.enter())) else { panic!("no place") };
        let mut newcomer = pin!(admission.enter());
        assert!(poll(newcomer.as_mut()).is_pending());
        drop(place);
        assert!(matches!(poll(newcomer.as_mut()), Poll::Ready(Ok(_))));
        assert!(poll(pin!(admission.asked_to_leave())).is_pending());
    }

    #[tokio::test]
    async fn who_does_not_read_leaves_if_nobody_is_idle() {
        let admission = Admission::new(1);
        let Poll::Ready(Ok(_place)) = poll(pin!(admission.enter())) else { panic!("no place") };
        let (mut idle, mut deaf) =
            (pin!(admission.asked_to_leave()), pin!(admission.asked_to_give_up()));
        assert!(poll(idle.as_mut()).is_pending() && poll(deaf.as_mut()).is_pending());
        let mut newcomer = pin!(admission.enter());
        assert!(poll(newcomer.as_mut()).is_pending());
        assert!(poll(deaf.as_mut()).is_pending());
        assert!(poll(idle.as_mut()).is_ready());
        let mut newcomer = pin!(admission.enter());
        idle.set(admission.asked_to_leave());
        assert!(poll(newcomer.as_mut()).is_pending());
        assert!(poll(deaf.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn room_is_made_by_all_who_do_not_read() {
        let admission = Admission::new(1);
        let mut deaf = [pin!(admission.asked_to_give_up()), pin!(admission.asked_to_give_up())];
        let mut idle = pin!(admission.asked_to_leave());
        assert!(deaf.iter_mut().all(|one| poll(one.as_mut()).is_pending()));
        assert!(poll(idle.as_mut()).is_pending());
        admission.make_room();
        assert!(deaf.iter_mut().all(|one| poll(one.as_mut()).is_ready()));
        assert!(poll(idle.as_mut()).is_pending());
    }
}
