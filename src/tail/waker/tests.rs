//! Wake-ups by real events; where the system has no watches left the tests have nothing to show.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;

/// Longer than any wake-up takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

fn waker() -> Option<(Waker, Receiver<()>)> {
    let (send, wakes) = channel();
    let (waker, warning) = Waker::new(Box::new(move || {
        // Whoever listened may have gone.
        let _ = send.send(());
    }));
    warning.is_none().then_some((waker, wakes))
}

fn watch(waker: &mut Waker, paths: &[&Path]) -> Vec<String> {
    waker.watch(&paths.iter().copied().collect())
}

#[test]
fn a_write_wakes() {
    let Some((mut waker, wakes)) = waker() else { return };
    let directory = tempfile::tempdir_in("target").unwrap();
    assert!(watch(&mut waker, &[directory.path()]).is_empty());
    fs::write(directory.path().join("app.log"), "1\n").unwrap();
    wakes.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn reading_does_not_wake() {
    let Some((mut waker, wakes)) = waker() else { return };
    let directory = tempfile::tempdir_in("target").unwrap();
    let path = directory.path().join("app.log");
    fs::write(&path, "1\n").unwrap();
    watch(&mut waker, &[directory.path()]);
    for _ in 0..10 {
        fs::read(&path).unwrap();
    }
    // Events come in order: all that came before this one have been seen when it has.
    fs::create_dir(directory.path().join("sub")).unwrap();
    wakes.recv_timeout(DEADLINE).unwrap();
    assert_eq!(wakes.try_iter().count(), 0);
}

#[test]
fn a_directory_that_was_made_anew_is_watched_anew() {
    let Some((mut waker, wakes)) = waker() else { return };
    let directory = tempfile::tempdir_in("target").unwrap();
    let (path, aside) = (directory.path().join("logs"), directory.path().join("aside"));
    fs::create_dir(&path).unwrap();
    watch(&mut waker, &[&path]);
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    let identity = waker.watched[&path];
    assert!(watch(&mut waker, &[&path]).is_empty());
    assert_ne!(waker.watched[&path], identity);
    wakes.try_iter().for_each(drop);
    fs::write(path.join("app.log"), "1\n").unwrap();
    wakes.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn directories_that_are_not_asked_for_any_more_are_dropped() {
    let Some((mut waker, _wakes)) = waker() else { return };
    let directory = tempfile::tempdir_in("target").unwrap();
    let gone = directory.path().join("gone");
    watch(&mut waker, &[directory.path(), &gone]);
    assert_eq!(waker.watched.len(), 1, "what does not exist is not watched");
    watch(&mut waker, &[]);
    assert!(waker.watched.is_empty());
}

#[test]
fn none_never_wakes_and_never_warns() {
    let mut waker = Waker::none();
    assert!(watch(&mut waker, &[Path::new("/")]).is_empty());
    assert!(waker.watched.is_empty());
}
