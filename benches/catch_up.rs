//! How fast a log is caught up with, from the file to the ledger on disk: `cargo bench --bench catch_up`.
//!
//! `cargo bench --bench catch_up -- log STORY MEGABYTES FOLDER` only writes a log and its configuration, to be
//! followed by the program itself.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use criterion::{BatchSize, Criterion, Throughput};
use tempfile::TempDir;

use offhours::app::calendars::CalendarShelf;
use offhours::app::engine::Engine;
use offhours::app::own_view;
use offhours::app::shared::{Message, Shared};
use offhours::clock;
use offhours::store::Store;
use support::{CONFIG, LINE_BYTES, Story, log};

const LOG_BYTES: usize = 8 << 20;

const STORIES: [(&str, Story); 4] = [
    ("compliant", Story::Compliant),
    ("violating", Story::Violating),
    ("phases", Story::Phases),
    ("rare", Story::Rare),
];

fn write(story: Story, bytes: usize, folder: &Path) {
    std::fs::write(folder.join("northhost.log"), log(story, bytes)).expect("a log");
    std::fs::write(folder.join("offhours.yml"), CONFIG).expect("a configuration");
}

/// The loop of the program over the log in `home`, with an empty ledger in `storage`.
fn engine(home: &Path, storage: &Path) -> Engine {
    let config_file = home.join("offhours.yml");
    let config = offhours::config::load(&config_file, clock::now()).expect("a configuration");
    let mut store = Store::open(storage).expect("a ledger");
    let ledger = store.load().expect("an empty ledger");
    let (mail, inbox) = channel();
    let own = own_view(&store).expect("counters");
    let files = (config_file, storage.to_owned());
    let shared = Arc::new(Shared::new(Arc::new(config), ledger, own, mail.clone(), files));
    // Once there is nothing left, the loop is told to end.
    let progress = move |read: u64, left: u64| {
        if 0 < read && left == 0 {
            mail.send(Message::Stop).expect("the loop");
        }
    };
    let shelf = CalendarShelf::new(clock::now());
    Engine::new(shared, inbox, (store, shelf), false, Box::new(progress)).expect("the loop")
}

fn catch_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("catch up");
    group.sample_size(10);
    for (name, story) in STORIES {
        let home = tempfile::tempdir().expect("a folder");
        write(story, LOG_BYTES, home.path());
        group.throughput(Throughput::Bytes(LOG_BYTES as u64));
        group.bench_function(name, |b| {
            let fresh = || -> (TempDir, Engine) {
                let storage = tempfile::tempdir().expect("a folder");
                let engine = engine(home.path(), storage.path());
                (storage, engine)
            };
            let run = |(storage, engine): (TempDir, Engine)| {
                engine.run().expect("a ledger");
                storage
            };
            b.iter_batched(fresh, run, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, story, megabytes, folder, ..] = arguments.as_slice()
        && command == "log"
    {
        let (_, story) = STORIES.iter().find(|(name, _)| name == story).expect("a story");
        let bytes: usize = megabytes.parse().expect("a number of megabytes");
        write(*story, bytes * 1_000_000 / LINE_BYTES * LINE_BYTES, Path::new(folder));
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    catch_up(&mut criterion);
    criterion.final_summary();
}
