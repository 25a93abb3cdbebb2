//! The making of answers: what may take its time, how much of it at once, and how much may wait to be read.
//!
//! Expositions, pages and questions have places of their own, so that none of them waits for another kind. Who asks for
//! the same page while it is being made shares the next one: it was begun after everybody who gets it had asked.

use super::admission::Admission;
use super::answer::Answer;
use super::limits::{Limits, SMALL_BYTES};
use super::{Backend, Problem};
use hyper::body::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How often room is asked for while there is none.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// What is asked for; each kind has places of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Exposition,
    Page,
    Question,
}

/// Makes answers.
pub(super) struct Making {
    backend: Arc<dyn Backend>,
    admission: Arc<Admission>,
    lanes: [Lane; 3],
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    /// Counts requests and makings, to tell which came first.
    clock: AtomicU64,
    patience: Duration,
}

/// The places of one kind.
struct Lane {
    turns: Arc<Semaphore>,
    waiting: Semaphore,
    /// Bytes that may be in flight.
    room: Arc<Semaphore>,
    room_bytes: usize,
}

/// One page that somebody asks for: what was made last, and the turn of whoever makes it next.
#[derive(Default)]
struct Slot(Turn<Option<Made>>);

struct Made {
    begun: u64,
    answer: Result<Answer, Problem>,
}

/// The bytes of an answer, with the room that they take.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Making {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        admission: Arc<Admission>,
        limits: &Limits,
    ) -> Making {
        let lane = |turns| Lane {
            turns: Arc::new(Semaphore::new(turns)),
            waiting: Semaphore::new(turns + limits.waiting),
            room: Arc::new(Semaphore::new(limits.unread_bytes)),
            room_bytes: limits.unread_bytes,
        };
        Making {
            backend,
            admission,
            lanes: [lane(limits.scrapes), lane(limits.pages), lane(limits.questions)],
            slots: Mutex::default(),
            clock: AtomicU64::new(0),
            patience: limits.request,
        }
    }

    /// Makes an answer for one request.
    ///
    /// # Errors
    /// Whatever the work says; 503 if too many wait, or it takes too long; 500 if it breaks off.
    pub(super) async fn one(
        &self,
        kind: Kind,
        work: impl FnOnce(&dyn Backend) -> Result<Answer, Problem> + Send + 'static,
    ) -> Result<Answer, Problem> {
        self.in_time(self.make(kind, work)).await
    }

    /// The same for whoever asks for what `key` names: everybody is shown the same.
    ///
    /// # Errors
    /// As [`Making::one`].
    pub(super) async fn shared(
        &self,
        kind: Kind,
        key: String,
        work: impl FnOnce(&dyn Backend) -> Result<Answer, Problem> + Send + 'static,
    ) -> Result<Answer, Problem> {
        let asked = self.tick();
        let seat = Seat::take(self, key);
        self.in_time(async {
            let mut last = seat.slot.0.lock().await;
            if let Some(made) = last.as_ref().filter(|made| asked < made.begun) {
                return made.answer.clone();
            }
            // What was made before would take room from what is made now.
            *last = None;
            let begun = self.tick();
            let answer = self.make(kind, work).await;
            *last = Some(Made { begun, answer: answer.clone() });
            answer
        })
        .await
    }

    async fn in_time(
        &self,
        making: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Answer, Problem> {
        timeout(self.patience, making).await.unwrap_or_else(|_| {
            let seconds = self.patience.as_secs_f64();
            Err(Problem::unavailable(format!("there was no answer within {seconds} s")))
        })
    }

    /// Calls the backend on a blocking thread, when there is a place.
    async fn make(
        &self,
        kind: Kind,
        work: impl FnOnce(&dyn Backend) -> Result<Answer, Problem> + Send + 'static,
    ) -> Result<Answer, Problem> {
        let [expositions, pages, questions] = &self.lanes;
        let lane = match kind {
            Kind::Exposition => expositions,
            Kind::Page => pages,
            Kind::Question => questions,
        };
        let Ok(_waiting) = lane.waiting.try_acquire() else {
            return Err(Problem::unavailable("too many requests of this kind are waiting"));
        };
        let (turn, backend) = (lane.turns.clone().acquire_owned().await, self.backend.clone());
        // The turn moves along: a call that outlives its request still counts.
        let work = move || (work(backend.as_ref()), turn);
        match tokio::task::spawn_blocking(work).await {
            // Until there is room nothing else is made: what is made takes memory already.
            Ok((Ok(answer), _turn)) => Ok(self.with_room(lane, answer).await),
            Ok((Err(problem), _)) => Err(problem),
            Err(error) => {
                tracing::error!(%error, "the making of an answer broke off");
                Err(Problem::internal("the making of the answer broke off"))
            }
        }
    }

    /// The answer, once there is room for it. Clients that do not read give up theirs.
    async fn with_room(&self, lane: &Lane, answer: Answer) -> Answer {
        let (head, bytes) = answer.into_parts();
        if bytes.len() <= SMALL_BYTES {
            return Answer::from_parts(head, bytes);
        }
        let wanted = u32::try_from(bytes.len().min(lane.room_bytes)).unwrap_or(u32::MAX);
        loop {
            let room = lane.room.clone().acquire_many_owned(wanted);
            match timeout(ASK_AGAIN, room).await {
                Ok(Ok(room)) => {
                    let held = Held { bytes, _room: room };
                    return Answer::from_parts(head, Bytes::from_owner(held));
                }
                // The room is never closed.
                Ok(Err(_)) => return Answer::from_parts(head, bytes),
                Err(_) => self.admission.make_room(),
            }
        }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's part in a slot; the last one to leave takes the slot along.
struct Seat<'a> {
    making: &'a Making,
    key: String,
    slot: Arc<Slot>,
}

impl Seat<'_> {
    fn take(making: &Making, key: String) -> Seat<'_> {
        let slot = making.slots().entry(key.clone()).or_default().clone();
        Seat { making, key, slot }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut slots = self.making.slots();
        // One is in the map, one is ours.
        if Arc::strong_count(&self.slot) <= 2 {
            slots.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::answer::{self, TEXT_TYPE};
    use crate::http::tests::support::{Fake, Gate, Opener, lenient, soon};
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Poll, Waker};

    fn making(limits: &Limits) -> Arc<Making> {
        let admission = Arc::new(Admission::new(1));
        Arc::new(Making::new(Arc::new(Fake::default()), admission, limits))
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// A page of this size that is made behind a gate, and counts how often.
    fn page(
        bytes: usize,
        gate: &Gate,
        count: &Arc<AtomicUsize>,
    ) -> impl FnOnce(&dyn Backend) -> Result<Answer, Problem> + Send + 'static {
        let (gate, count) = (gate.clone(), count.clone());
        move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            gate.pass();
            Ok(answer::ok(TEXT_TYPE, vec![b'x'; bytes]))
        }
    }

    #[tokio::test]
    async fn who_asks_while_a_page_is_made_shares_the_next_one() {
        let (making, count) = (making(&lenient()), Arc::default());
        let opener = Opener(Gate::default());
        let ask = |key: &str| {
            let (making, work) = (making.clone(), page(1 << 20, &opener.0, &count));
            let key = key.to_owned();
            Box::pin(async move { making.shared(Kind::Page, key, work).await.unwrap() })
        };
        let mut first = ask("a");
        assert!(poll(first.as_mut()).is_pending());
        let mut later: Vec<_> = (0..100).map(|_| ask("a")).collect();
        assert!(later.iter_mut().all(|one| poll(one.as_mut()).is_pending()));
        let mut other = ask("b");
        assert!(poll(other.as_mut()).is_pending());
        opener.0.open();
        let first = soon(first).await;
        let mut shared = Vec::new();
        for one in later {
            shared.push(soon(one).await);
        }
        // The first was begun before the others asked; of the others' one there is one copy.
        let place = |answer: &Answer| answer.body().as_ptr();
        assert_ne!(place(&first), place(&shared[0]));
        assert!(shared.iter().all(|one| place(one) == place(&shared[0])));
        soon(other).await;
        assert_eq!(count.load(Ordering::SeqCst), 3);
        assert!(making.slots().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_read_takes_room_until_it_is_dropped() {
        let limits = Limits { unread_bytes: 1 << 20, ..lenient() };
        let (making, count) = (making(&limits), Arc::default());
        let gate = Gate::default();
        gate.open();
        let make = |bytes| making.one(Kind::Page, page(bytes, &gate, &count));
        let half = soon(make(1 << 19)).await.unwrap();
        // Small answers are not counted, and other kinds have room of their own.
        soon(make(SMALL_BYTES)).await.unwrap();
        let exposition = making.one(Kind::Exposition, page(1 << 20, &gate, &count));
        soon(exposition).await.unwrap();
        // One that is larger than the room takes all of it.
        let mut whole = pin!(make(2 << 20));
        while count.load(Ordering::SeqCst) < 4 {
            assert!(timeout(ASK_AGAIN, whole.as_mut()).await.is_err());
        }
        assert!(timeout(ASK_AGAIN, whole.as_mut()).await.is_err());
        drop(half);
        assert_eq!(soon(whole).await.unwrap().body().len(), 2 << 20);
    }

    #[tokio::test]
    async fn each_kind_has_places_and_a_queue_of_its_own() {
        let limits = Limits { pages: 1, waiting: 1, ..lenient() };
        let (making, count) = (making(&limits), Arc::default());
        let opener = Opener(Gate::default());
        let make = |kind| making.one(kind, page(1, &opener.0, &count));
        let (mut served, mut waits) = (pin!(make(Kind::Page)), pin!(make(Kind::Page)));
        assert!(poll(served.as_mut()).is_pending() && poll(waits.as_mut()).is_pending());
        let refused = soon(make(Kind::Page)).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 503, "{refused}");
        let open = Gate::default();
        open.open();
        for kind in [Kind::Exposition, Kind::Question] {
            soon(making.one(kind, page(1, &open, &count))).await.unwrap();
        }
        opener.0.open();
        soon(served).await.unwrap();
        soon(waits).await.unwrap();
    }
}
