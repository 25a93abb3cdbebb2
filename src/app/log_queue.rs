//! The program's log on its way out: a thread of its own writes it, so that standard error that nobody reads holds up
//! nobody. What does not fit into the queue is dropped, counted and told as soon as somebody reads again.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Records that wait to be written.
pub const RECORDS_MAX: usize = 4_096;

/// Their bytes.
pub const BYTES_MAX: u64 = 4 << 20;

/// Records that were dropped since the program began.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Records that were dropped since the program began.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// The way in for records; each [`Write::write`] is one. Clones share one queue.
#[derive(Clone)]
pub struct LogQueue {
    sender: SyncSender<Vec<u8>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Bytes of the records that are not written yet.
    waiting: Mutex<u64>,
    is_written: Condvar,
    /// Records that were dropped and not told of.
    untold: AtomicU64,
}

impl LogQueue {
    /// A queue whose records `write` writes, in a thread of its own.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn new(write: impl FnMut(&[u8]) + Send + 'static) -> std::io::Result<LogQueue> {
        let (sender, records) = sync_channel(RECORDS_MAX);
        let state = Arc::new(State::default());
        let of_thread = state.clone();
        let thread = std::thread::Builder::new().name("log".into());
        thread.spawn(move || write_all(&records, &of_thread, write))?;
        Ok(LogQueue { sender, state })
    }

    /// Waits until everything is written, for no longer than this; `false`: something is not.
    pub fn drain(&self, patience: Duration) -> bool {
        let waiting = self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waited =
            self.state.is_written.wait_timeout_while(waiting, patience, |bytes| 0 < *bytes);
        let (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *waiting == 0
    }
}

impl Write for LogQueue {
    fn write(&mut self, record: &[u8]) -> std::io::Result<usize> {
        let bytes = record.len() as u64;
        let mut waiting = self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = *waiting + bytes <= BYTES_MAX;
        if fits && self.sender.try_send(record.to_vec()).is_ok() {
            *waiting += bytes;
        } else {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            self.state.untold.fetch_add(1, Ordering::Relaxed);
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write_all(records: &Receiver<Vec<u8>>, state: &State, mut write: impl FnMut(&[u8])) {
    for record in records {
        write(&record);
        {
            let mut waiting = state.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            *waiting = waiting.saturating_sub(record.len() as u64);
            state.is_written.notify_all();
        }
        let records = state.untold.swap(0, Ordering::Relaxed);
        if 0 < records {
            tracing::warn!(records, "records of this log were dropped while nobody read it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_log_that_nobody_reads_holds_up_nobody() {
        let (go_on, may_go_on) = channel();
        let (written, seen) = channel();
        let mut queue = LogQueue::new(move |record: &[u8]| {
            may_go_on.recv().expect("a word");
            written.send(record.to_vec()).expect("a reader");
        })
        .expect("a thread");
        let before = dropped();
        let all = 2 * RECORDS_MAX;
        for n in 0..all {
            queue.write_all(format!("{n}\n").as_bytes()).expect("never an error");
        }
        let lost = usize::try_from(dropped() - before).expect("a count");
        // One may be in the hands of the thread.
        assert!((all - RECORDS_MAX - 1..=all - RECORDS_MAX).contains(&lost), "{lost}");
        assert!(!queue.drain(Duration::from_millis(1)));
        let mut kept = Vec::new();
        for _ in 0..all - lost {
            go_on.send(()).expect("a thread");
            let record = String::from_utf8(seen.recv().expect("a record")).expect("text");
            kept.push(record.trim().parse::<usize>().expect("a number"));
        }
        // What was there first is kept, in its order. The thread may take the first record late, which makes room for one.
        assert!(kept.is_sorted());
        assert_eq!(kept.get(..RECORDS_MAX), Some((0..RECORDS_MAX).collect::<Vec<_>>().as_slice()));
        assert!(queue.drain(PATIENCE));
    }

    #[test]
    fn large_records_are_bounded_by_their_bytes() {
        let (go_on, may_go_on) = channel::<()>();
        let mut queue = LogQueue::new(move |_: &[u8]| {
            // Ends with the test.
            let _ = may_go_on.recv();
        })
        .expect("a thread");
        let large = vec![b'x'; 1 << 20];
        let before = queue.state.untold.load(Ordering::Relaxed);
        for _ in 0..6 {
            queue.write_all(&large).expect("never an error");
        }
        assert_eq!(queue.state.untold.load(Ordering::Relaxed) - before, 2);
        drop(go_on);
    }
}
