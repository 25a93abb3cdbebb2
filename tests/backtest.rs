//! Backtests: which past runs another policy would judge otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Server, folder, offhours, root, text};

const CONFIG: &str = "examples/quickstart/offhours.yml";
const LOG: &str = "examples/quickstart/northhost.log";

/// Another policy in a folder of its own: no windows at night, and compactions by hand are fine.
fn other(home: &Path) -> PathBuf {
    let written = std::fs::read_to_string(root().join(CONFIG)).expect("a configuration");
    let changed = written
        .replace("22:00-05:00", "12:00-14:00")
        .replace("triggers: [schedule]\n", "triggers: [schedule, manual]\n")
        .replace("max_duration: 2h", "max_duration: 1h");
    assert_ne!(changed, written);
    let path = home.join("other.yml");
    std::fs::write(&path, changed).expect("another");
    path
}

/// Exit code, and the objects on standard output.
fn run(arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = offhours(arguments);
    let said = text(&output.stdout);
    let objects = said.lines().map(|line| serde_json::from_str(line).expect("an object"));
    (output.status.code().expect("a code"), objects.collect())
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn key(run: &Value) -> String {
    format!("{} {}", run["run_id"], run["start"])
}

fn set(list: &Value) -> BTreeSet<String> {
    let words = list.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a word").to_owned()).collect()
}

/// Verdict and reasons of each run, as a replay tells them.
fn replayed(config: &str) -> BTreeMap<String, (Value, BTreeSet<String>)> {
    let (_, runs) = run(&[
        "replay",
        "--config.file",
        config,
        "--source",
        "northhost-maintenance",
        "--format=json",
        LOG,
    ]);
    runs.iter().map(|run| (key(run), (run["verdict"].clone(), set(&run["reasons"])))).collect()
}

#[test]
fn a_backtest_of_logs_is_the_difference_of_two_replays() {
    let home = folder();
    let other = other(home.path());
    let other = path(&other);
    let (code, told) =
        run(&["replay", "--config.file", CONFIG, "--against", other, "--format=json", LOG]);
    assert_eq!(code, 0);
    let (first, second) = (replayed(CONFIG), replayed(other));
    let differing = first.iter().filter(|(run, said)| second[*run] != **said).count();
    assert!(0 < differing && differing < first.len(), "{differing} of {}", first.len());
    assert_eq!(told.len(), differing);
    for run in &told {
        let ((verdict, reasons), (against, others)) = (&first[&key(run)], &second[&key(run)]);
        assert_eq!((&run["verdict"], &run["against"]), (verdict, against));
        assert_eq!(set(&run["gained"]), others - reasons);
        assert_eq!(set(&run["lost"]), reasons - others);
    }
    let arguments = ["replay", "--config.file", CONFIG, "--against", other, "--exit-code", LOG];
    let output = offhours(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("GAINED"));
    let (n, all) = (told.len(), first.len());
    assert!(text(&output.stderr).contains(&format!("{n} of {all} runs are judged differently")));
    let arguments = ["replay", "--config.file", CONFIG, "--against", CONFIG, "--exit-code", LOG];
    let output = offhours(&arguments);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""));
}

#[test]
fn a_backtest_of_the_ledger_agrees_with_that_of_its_logs() {
    let (home, storage) = (folder(), folder());
    let other = other(home.path());
    let other = path(&other);
    assert!(Server::start_in(&root().join(CONFIG), storage.path()).stop().success());
    let dir = path(storage.path());
    let (_, of_logs) =
        run(&["replay", "--config.file", CONFIG, "--against", other, "--format=json", LOG]);
    let of_ledger = |more: &[&str]| {
        let mut arguments = vec!["replay", "--storage.path", dir, "--format=json"];
        arguments.extend(more);
        run(&arguments)
    };
    let (code, told) = of_ledger(&["--against", other]);
    assert_eq!((code, &told), (0, &of_logs));
    assert_eq!(of_ledger(&["--against", CONFIG, "--exit-code"]), (0, vec![]));
    assert_eq!(of_ledger(&["--against", other, "--exit-code"]).0, 1);
    let (_, late) = of_ledger(&["--against", other, "--since", "2026-03-25"]);
    let want: Vec<&Value> =
        told.iter().filter(|run| "2026-03-25" <= run["start"].as_str().expect("a start")).collect();
    assert!(!want.is_empty() && want.len() < told.len());
    assert_eq!(late.iter().collect::<Vec<_>>(), want);
    let csv = offhours(&["replay", "--storage.path", dir, "--against", other, "--format=csv"]);
    assert_eq!(text(&csv.stdout).lines().count(), told.len() + 1);
}

#[test]
fn a_partner_that_the_other_policy_does_not_have_is_told() {
    let (home, storage) = (folder(), folder());
    let written = std::fs::read_to_string(root().join(CONFIG)).expect("a configuration");
    let renamed = home.path().join("renamed.yml");
    std::fs::write(&renamed, written.replace("northhost", "southhost")).expect("another");
    let renamed = path(&renamed);
    assert!(Server::start_in(&root().join(CONFIG), storage.path()).stop().success());
    let dir = path(storage.path());
    for arguments in [
        vec!["replay", "--config.file", CONFIG, "--against", renamed, "--format=json", LOG],
        vec!["replay", "--storage.path", dir, "--against", renamed, "--format=json"],
    ] {
        let (code, told) = run(&arguments);
        assert_eq!((code, told.len()), (0, replayed(CONFIG).len()));
        assert!(told.iter().all(|run| run["against"].is_null()), "{told:?}");
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    for (arguments, code) in [
        (vec!["replay"], 2),
        (vec!["replay", "--exit-code", LOG], 2),
        (vec!["replay", "--storage.path", "x"], 2),
        (vec!["replay", "--against", CONFIG, "--storage.path", "x", LOG], 2),
        (vec!["replay", "--against", CONFIG, "--storage.path", "nowhere"], 2),
        (vec!["replay", "--against", CONFIG, "--since", "30d", LOG], 2),
        (vec!["replay", "--config.file", CONFIG, "--against", "nowhere.yml", LOG], 2),
    ] {
        assert_eq!(offhours(&arguments).status.code(), Some(code), "{arguments:?}");
    }
}
