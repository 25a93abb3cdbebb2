//! Wake-ups by real events; where the system has no watches left the tests have nothing to show.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::tail::tests::build_folder;

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
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
    assert!(watch(&mut waker, &[directory.path()]).is_empty());
    fs::write(directory.path().join("app.log"), "1\n").unwrap();
    wakes.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn reading_does_not_wake() {
    let Some((mut waker, wakes)) = waker() else { return };
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
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
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
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
    let directory = tempfile::tempdir_in(build_folder()).unwrap();
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

#[test]
fn names_that_came_and_went_are_told_once() {
    let Some((mut waker, wakes)) = waker() else { return };
    let directory = tempfile::tempdir_in(build_folder()).unwrap().keep().canonicalize().unwrap();
    let path = |name: &str| directory.join(name);
    watch(&mut waker, &[&directory]);
    assert!(!waker.have_news() && !waker.names_have_changed());
    fs::write(path("stays"), "1\n").unwrap();
    fs::write(path("goes"), "1\n").unwrap();
    fs::remove_file(path("goes")).unwrap();
    fs::write(path("moves"), "1\n").unwrap();
    fs::rename(path("moves"), path("moved")).unwrap();
    fs::write(path("last"), "1\n").unwrap();
    let mut gone = BTreeSet::new();
    let is_told = |waker: &Waker| waker.names.lock().unwrap().appeared.contains(&path("last"));
    while !is_told(&waker) {
        wakes.recv_timeout(DEADLINE).unwrap();
    }
    assert!(waker.have_news() && waker.names_have_changed());
    gone.extend(waker.take_gone(|_| true));
    assert_eq!(gone, BTreeSet::from([path("goes")]));
    waker.forget_news();
    waker.forget_names();
    assert!(waker.take_gone(|_| false).is_empty() && !waker.names_have_changed());
    assert!(waker.names.lock().unwrap().appeared.is_empty());
    fs::remove_dir_all(&directory).unwrap();
}
