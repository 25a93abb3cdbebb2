//! How many connections may be open: a fixed number, of which a new one is worth more than an idle one.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Hands out places; when there is none left, the connection that has been idle longest is asked to leave.
#[derive(Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    leave: Notify,
}

impl Admission {
    pub(super) fn new(places: usize) -> Admission {
        Admission { places: Arc::new(Semaphore::new(places)), leave: Notify::new() }
    }

    /// A place, held until the permit is dropped; waits until there is one.
    ///
    /// # Errors
    /// Never: the places are not taken away while this exists.
    pub(super) async fn enter(&self) -> io::Result<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        self.leave.notify_one();
        let place = self.places.clone().acquire_owned().await.map_err(io::Error::other)?;
        // With nobody idle the request to leave is kept for the first who will be; the place came
        // from elsewhere by now, and the newcomer must not be sent away by its own request.
        pin!(self.leave.notified()).enable();
        Ok(place)
    }

    /// Resolves when the connection that waits here, being the one that has waited longest, should give up its place.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_newcomer_makes_the_longest_waiting_leave() {
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

    #[test]
    fn a_request_to_leave_that_nobody_heard_lapses() {
        let admission = Admission::new(1);
        let Poll::Ready(Ok(place)) = poll(pin!(admission.enter())) else { panic!("no place") };
        let mut newcomer = pin!(admission.enter());
        assert!(poll(newcomer.as_mut()).is_pending());
        drop(place);
        assert!(matches!(poll(newcomer.as_mut()), Poll::Ready(Ok(_))));
        assert!(poll(pin!(admission.asked_to_leave())).is_pending());
    }
}
