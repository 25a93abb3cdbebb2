//! Starts everything in order, waits, and stops everything in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant as Moment};

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::app::backend::Published;
use crate::app::calendars::CalendarShelf;
use crate::app::engine::Engine;
use crate::app::shared::{Message, Shared};
use crate::app::{control, own_view, pages, pulse};
use crate::clock;
use crate::config::{self, Url};
use crate::http::{self, Names, Web};
use crate::ledger::chain::Head;
use crate::process::{self, Supervisor};
use crate::store::{Store, StoreError};

/// How often it is looked whether the loop has ended.
const LOOK: Duration = Duration::from_secs(1);

/// After a stop, how long answers in the making may take, and then how long the loop may take for its last commit. A
/// loop that stands does not end: what it read last is read again by the next process.
const DRAIN: Duration = Duration::from_secs(5);
const LAST_TURN: Duration = Duration::from_secs(3);

/// After that, how long calls that hang are waited for.
const LEFTOVERS: Duration = Duration::from_millis(200);

/// What `serve` is told on its command line.
pub struct Options {
    pub config_file: PathBuf,
    pub storage: PathBuf,
    pub listen: SocketAddr,
    /// Encryption, passwords and the like.
    pub web_config_file: Option<PathBuf>,
    /// Under which URL others reach us, and further names that we are known by.
    pub external_url: Option<Url>,
    pub allowed_hosts: Vec<String>,
    /// Use file notifications as a hint.
    pub notify: bool,
    /// Told of bytes read and bytes left while the first catch-up lasts.
    pub progress: Box<dyn Fn(u64, u64) + Send>,
}

/// Why the program could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{0}")]
    Config(#[from] config::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Follow(String),
    #[error("{listen}: {source}")]
    Listen { listen: SocketAddr, source: std::io::Error },
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the loop ended unexpectedly")]
    Loop,
    #[error("{}; it was left behind, and what it read last will be read again", pulse::sentence(*.0))]
    Standing(Duration),
    #[error("the task that posts alerts ended unexpectedly: {0}")]
    Alerts(String),
}

/// Runs until a signal says stop.
///
/// # Errors
/// The configuration or the ledger cannot be used, or the address is taken.
pub fn serve(options: Options) -> Result<(), ServeError> {
    let now = clock::now();
    let mut shelf = CalendarShelf::new(now);
    let config = config::load_with(&options.config_file, now, &mut shelf)?;
    config.warnings.iter().for_each(|warning| tracing::warn!(%warning, "configuration"));
    let machine = process::machine_name();
    let names =
        Names::new(options.external_url.as_ref(), &options.allowed_hosts, machine.as_deref());
    let web = Web::open(options.web_config_file.as_deref())?.known_as(names);
    web.warnings().iter().for_each(|warning| tracing::warn!(%warning, "web configuration"));
    let mut store = Store::open(&options.storage)?;
    let ledger = store.load()?;
    let (entries, head) = store.head();
    tracing::info!(entries, head = Head::hex(&head), path = %store.path().display(), "ledger opened");
    let (mail, inbox) = channel();
    let own = own_view(&store)?;
    let files = (options.config_file, options.storage);
    let shared = Arc::new(Shared::new(Arc::new(config), ledger, own, mail, files));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(listen(options.listen))?;
    // Before the loop begins, so that no signal meets it unprepared.
    let signals = runtime.block_on(async { Signals::catch() })?;
    if let Err(error) = control::listen(shared.clone()) {
        tracing::warn!(%error, "acknowledgements can only be given while offhours is stopped");
    }
    let engine =
        Engine::new(shared.clone(), inbox, (store, shelf), options.notify, options.progress);
    let engine = engine.map_err(ServeError::Follow)?;
    let looping = std::thread::Builder::new().name("loop".into()).spawn(|| engine.run())?;
    let served = runtime.block_on(until_stopped(listener, signals, shared.clone(), web, &looping));
    // Nobody is answered any more: now the loop may commit and end.
    shared.send(Message::Stop);
    // Without a limit the runtime would wait for every call, and one may wait for the loop.
    runtime.shutdown_timeout(LEFTOVERS);
    let ended =
        join(looping, LAST_TURN).ok_or_else(|| ServeError::Standing(shared.pulse().age()))?;
    served?;
    Ok(ended.map_err(|_| ServeError::Loop)??)
}

/// What a thread ended with; `None`: it has not within this time.
fn join<T>(
    thread: std::thread::JoinHandle<T>,
    patience: Duration,
) -> Option<std::thread::Result<T>> {
    let until = Moment::now() + patience;
    while !thread.is_finished() {
        if until <= Moment::now() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(thread.join())
}

async fn listen(listen: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!(%address, "listening");
    Ok(listener)
}

/// The signals that the program does not leave to the system.
struct Signals {
    term: Signal,
    int: Signal,
    hangup: Signal,
    /// A file that may not grow (`ulimit -f`) is then a failed commit, which is waited out, and no death.
    _file_too_large: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Signals> {
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            _file_too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }
}

async fn until_stopped(
    listener: TcpListener,
    signals: Signals,
    shared: Arc<Shared>,
    web: Web,
    looping: &std::thread::JoinHandle<Result<(), StoreError>>,
) -> Result<(), ServeError> {
    let Signals { mut term, mut int, mut hangup, _file_too_large } = signals;
    let reloading = shared.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let shared = reloading.clone();
            // The loop tells the log how it went.
            let _ = tokio::task::spawn_blocking(move || shared.ask(Message::Reload)).await;
        }
    });
    let posting = tokio::spawn(pages::keep_posted(shared.clone()));
    let supervisor = Arc::new(Supervisor::of_environment()?);
    supervisor.tell("READY=1");
    tokio::spawn(keep_told(supervisor.clone(), shared.clone()));
    let asked = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    };
    let mut outcome = Ok(());
    let stop = async {
        outcome = first_end(asked, || looping.is_finished(), posting).await;
        tracing::info!("stopping");
        supervisor.tell("STOPPING=1");
    };
    let web = Arc::new(web);
    let backend = Arc::new(Published { shared, web: web.clone() });
    let limits = http::Limits { drain: DRAIN, ..http::Limits::default() };
    http::serve(listener, backend, web, limits, stop).await?;
    outcome
}

/// Tells the service manager again and again that the program is alive, for as long as the loop turns.
async fn keep_told(supervisor: Arc<Supervisor>, shared: Arc<Shared>) {
    let Some(every) = supervisor.interval() else { return };
    let mut next = tokio::time::interval(every);
    loop {
        next.tick().await;
        match shared.pulse().stands() {
            None => supervisor.tell("WATCHDOG=1"),
            Some(stood) => tracing::error!("{}", pulse::sentence(stood)),
        }
    }
}

/// Waits until somebody asks for a stop, or until the loop or the task that posts alerts has ended: without them the
/// program would look well and watch nothing, or page nobody.
///
/// # Errors
/// The task that posts alerts has ended. How the loop ended is told when its thread is joined.
async fn first_end(
    asked: impl Future<Output = ()>,
    loop_has_ended: impl Fn() -> bool,
    posting: JoinHandle<String>,
) -> Result<(), ServeError> {
    let mut asked = pin!(asked);
    let mut posting = posting;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = &mut asked => return Ok(()),
            _ = look.tick() => if loop_has_ended() { return Ok(()) },
            ended = &mut posting => {
                return Err(ServeError::Alerts(ended.unwrap_or_else(|error| error.to_string())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    /// What the program ends with if the task that posts alerts does this.
    async fn ends(posting: impl Future<Output = String> + Send + 'static) -> String {
        let ended = first_end(pending(), || false, tokio::spawn(posting)).await;
        ended.expect_err("a failure").to_string()
    }

    #[test]
    fn a_thread_that_does_not_end_is_left_behind() {
        let (end, ends) = channel::<()>();
        let thread = std::thread::spawn(move || ends.recv().is_err());
        assert!(join(thread, Duration::from_millis(20)).is_none());
        drop(end);
        let thread = std::thread::spawn(|| 7);
        assert_eq!(join(thread, Duration::from_secs(30)).map(Result::ok), Some(Some(7)));
    }

    #[tokio::test]
    async fn the_task_that_posts_alerts_is_watched_like_the_loop() {
        let told = ends(ready("the reason".into())).await;
        assert_eq!(told, "the task that posts alerts ended unexpectedly: the reason");
        let told = ends(async { panic!("out of order") }).await;
        assert!(told.contains("panicked") && told.contains("out of order"), "{told}");
        let never = || tokio::spawn(pending::<String>());
        assert!(first_end(pending(), || true, never()).await.is_ok());
        assert!(first_end(ready(()), || false, never()).await.is_ok());
    }
}
