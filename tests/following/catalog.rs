//! The cases of following files, with what becomes of them, and the page that is made of them.
//!
//! A row says what the tests with its number show; the page names them. What other programs lose was measured once,
//! with the packages that Debian has of them, on ext4: lines lost of lines written.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::support::{files, root};

/// One case.
struct Row {
    number: usize,
    case: &'static str,
    /// What becomes of it, and what is counted.
    ours: &'static str,
    mtail: &'static str,
    rsyslog: &'static str,
}

const fn row(number: usize, case: &'static str, ours: &'static str) -> Row {
    Row { number, case, ours, mtail: "", rsyslog: "" }
}

const fn measured(
    number: usize,
    case: &'static str,
    ours: &'static str,
    mtail: &'static str,
    rsyslog: &'static str,
) -> Row {
    Row { number, case, ours, mtail, rsyslog }
}

const NOTHING: &str = "nothing lost, nothing twice";

const CASES: &[Row] = &[
    row(1, "lines are appended one by one", NOTHING),
    measured(2, "a line is written in parts", NOTHING, "0", "0"),
    row(3, "a write is cut at a page", NOTHING),
    row(
        4,
        "a rotated file ends within a line",
        "what is there is handed on once, when nobody can end it",
    ),
    row(5, "a line is split across a rotation", "both halves are handed on, each once"),
    measured(
        6,
        "renamed and created anew",
        "nothing lost, nothing twice; `rotations{rename}`",
        "50/200",
        "0",
    ),
    measured(
        7,
        "written on after the rename, 0.1 s to minutes later",
        "nothing lost, nothing twice; the descriptor is kept while somebody has the file open for writing",
        "50/150",
        "50/150",
    ),
    row(8, "no file for a while", "nothing lost, nothing twice; `source_up` 0 meanwhile"),
    row(9, "several rotations between two looks", NOTHING),
    row(
        10,
        "the real logrotate: create, nocreate, copytruncate, dateext, compress, delaycompress",
        "nothing lost, nothing twice, also over a stop; with copytruncate `possible_loss{copytruncate}` each time",
    ),
    measured(
        11,
        "copytruncate, little written after it",
        "nothing lost, nothing twice; `possible_loss{copytruncate}`: it cannot be known",
        "0",
        "0",
    ),
    measured(
        12,
        "copytruncate, soon written beyond the old size",
        "nothing lost, nothing twice; `possible_loss{copytruncate}`",
        "92/400",
        "0",
    ),
    measured(
        13,
        "written between copy and truncation",
        "what the copy has is read there; the rest is gone: `possible_loss{copytruncate}`",
        "40/150",
        "40/150",
    ),
    row(
        14,
        "truncated under a writer that does not append",
        "the NULs are passed over, the lines read; `possible_loss{truncate}`",
    ),
    row(15, "the same first line in the old and the new file", NOTHING),
    measured(
        16,
        "deleted and created anew, with the same inode",
        "nothing lost, nothing twice; with the descriptor closed `possible_loss{vanished}`",
        "0",
        "0",
    ),
    row(17, "the same while stopped", "the new file is read from its start; `possible_loss{gone}`"),
    row(
        18,
        "deleted while the writer goes on",
        "nothing lost, nothing twice; the descriptor is released in the end",
    ),
    row(
        19,
        "a directory, pipe, socket or device stands there",
        "never waited for; `read_errors{not_regular}`",
    ),
    measured(
        20,
        "a symbolic link is switched, the old target still written",
        NOTHING,
        "10/110",
        "10/110 (polling: 0)",
    ),
    row(
        21,
        "a link leads nowhere, in circles, out of the directory",
        "never followed out of the directory of a pattern; `read_errors{outside}`, `{io}`",
    ),
    measured(22, "a new file and a new directory match", NOTHING, "50/100", "0"),
    measured(
        23,
        "a file lives for 50 ms",
        "nothing lost with hints; one that goes before it can be opened: `possible_loss{vanished}`; without hints it is not seen",
        "50/50",
        "0 (polling: 50/50)",
    ),
    row(
        24,
        "more files match than are followed",
        "`read_errors{too_many_files}`, the others are read",
    ),
    measured(25, "written while stopped", NOTHING, "50/150", "0"),
    measured(26, "renamed while stopped", NOTHING, "100/200", "50/200"),
    row(
        27,
        "renamed and compressed while stopped",
        "nothing lost, nothing twice; damaged: as far as it goes, then `possible_loss{damaged}`",
    ),
    row(28, "kill -9 at any moment", NOTHING),
    row(
        29,
        "power loss: the end of what was written is torn or zero",
        "it starts, keeps what is whole, reads the rest again",
    ),
    row(
        30,
        "the ledger is empty, zero, torn, text, of another version, read-only",
        "it says which file and what to do, and does not start",
    ),
    row(
        31,
        "the disk of the ledger is full",
        "nothing is counted that is not stored; it goes on by itself; `ledger_errors`",
    ),
    row(32, "the disk of the log is full", "nothing lost, nothing twice: as 2"),
    row(
        33,
        "no descriptor is left",
        "no busy loop; `read_errors{too_many_descriptors}`; it goes on by itself",
    ),
    row(34, "permission is denied, then granted", "read from the start; `source_up` 0, then 1"),
    row(35, "more happens than the queue of hints holds", NOTHING),
    row(36, "no hints are to be had", "nothing lost, nothing twice: it polls, and says so"),
    row(37, "a network file system, which gives no hints (FUSE)", NOTHING),
    row(
        38,
        "the size grows before the data arrive",
        "the NULs at the end wait until they are a line",
    ),
    row(
        39,
        "the clock is set by -1 h and +2 h, or jumps 25 h ahead for a moment",
        "nothing lost, nothing twice; it is not believed until it has gone right for 10 minutes: no `irregularities{future}` or `{late}`, no run is given up; `clock_jumps`",
    ),
    measured(
        40,
        "a line of 64 MiB",
        "`lines{rejected}` once; 2 MiB of memory",
        "337 MiB of memory",
        "4 MiB of memory",
    ),
    measured(
        41,
        "bytes that are no UTF-8, CRLF, BOM, UTF-16, escapes",
        "the bytes pass as they are, UTF-16 in whole characters; a line that is none of the `encoding` of its source is \
         rejected, and the source is not up until one is again",
        "20/20",
        "0",
    ),
    row(42, "a block of NULs after a crash", "passed over, the lines read"),
    row(43, "three rotations while a long backlog is read", NOTHING),
    row(44, "one file through two patterns and links", "counted once"),
    row(
        45,
        "delivered again, longer: by rsync, cp, scp, sftp, curl, `sed -i` or an editor",
        "read on from where it was, also over a stop and a kill: nothing lost, nothing twice; `rotations{rewrite}`",
    ),
    row(
        46,
        "looked at while it is written anew",
        "as 45: what is shorter and nothing else is waited for until it has stood still for 5 s; then it is read from its start",
    ),
    row(47, "the old file is written on after a copy took its place", NOTHING),
    row(
        48,
        "logs of Kubernetes: `pods/*/*/N.log`, its rotated names, links to it from `containers`",
        "nothing lost, nothing twice, also over a stop; a link that leads elsewhere: `read_errors{outside}`",
    ),
    row(
        49,
        "multilog and svlogd: `current`, `@` with a TAI64N stamp",
        "nothing lost, nothing twice, also over a stop",
    ),
    row(
        50,
        "moved to another folder, while stopped or followed",
        "found in the folders that `archive` names, compressed or not; otherwise `possible_loss{gone}`",
    ),
    row(
        51,
        "lines are taken away at its head, in a new file (`sed -i 1,50d`, `tail -n` and `mv`) or in place, a hole is punched, blocks are taken out",
        "read on from where it was, also over a stop and a kill: nothing lost, nothing twice; `rotations{rewrite}`. Where too little is left to be known, or lines were put in, it is read from its start; what was taken away unread: `possible_loss{truncate}`, `{gone}`",
    ),
    row(
        52,
        "its source gets another name in the configuration",
        "read on from where it was: a checkpoint belongs to the file",
    ),
    row(
        53,
        "a hole of 100 GB, behind a line or within one, or room that the file system gave a file in advance",
        "a hole is passed over, not read; one at the end may be filled yet, and is read as it is",
    ),
    row(
        54,
        "copytruncate before anything was read of the file, while stopped or between two looks",
        "the copies are read: nothing lost, nothing twice; `possible_loss{copytruncate}`",
    ),
    row(
        55,
        "stopped over two rotations, compressed or not, and the writer goes on after the rename",
        NOTHING,
    ),
];

/// The names of the tests by the number that they carry.
fn tests() -> BTreeMap<usize, Vec<String>> {
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let folders = ["src/tail", "tests"].map(|folder| root().join(folder));
    for path in folders.iter().flat_map(|folder| files(folder)) {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        for (attribute, function) in text.lines().zip(text.lines().skip(1)) {
            let name = function
                .trim_start()
                .strip_prefix("fn case_")
                .filter(|_| attribute.trim() == "#[test]");
            let Some((name, _)) = name.and_then(|rest| rest.split_once('(')) else { continue };
            let number = name.get(..2).and_then(|number| number.parse().ok()).expect("a number");
            found.entry(number).or_default().push(format!("case_{name}"));
        }
    }
    found
}

fn page() -> String {
    let mut page = String::from(
        "# Following files\n\n\
         What can happen to log files, and what offhours does then. The tests named in each row check it on the\n\
         file system of the build, because a file system in memory does not reuse inodes. `tests/run` runs them all, and prints which\n\
         of them the machine does not allow. `every_line_is_delivered_once` combines the cases at random.\n\n\
         Names of metrics start with `offhours_source_`, and counters end with `_total`. Each possible loss is logged with its\n\
         file and its range of bytes. The columns for mtail 3.0.0-rc50 and rsyslog 8.2302 show how many of the written lines they\n\
         lose, where that was measured.\n\n\
         | # | case | offhours | mtail | rsyslog | tests |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let tests = tests();
    for Row { number, case, ours, mtail, rsyslog } in CASES {
        let names = tests.get(number).map(|names| names.join("`, `")).unwrap_or_default();
        writeln!(page, "| {number} | {case} | {ours} | {mtail} | {rsyslog} | `{names}` |")
            .expect("text");
    }
    page
}

#[test]
fn every_case_has_its_tests_and_stands_in_the_documentation() {
    let tests = tests();
    let missing: Vec<usize> =
        (1..=CASES.len()).filter(|number| !tests.contains_key(number)).collect();
    assert!(missing.is_empty(), "no test carries the numbers {missing:?}");
    let numbers: Vec<usize> = CASES.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=CASES.len()).collect::<Vec<_>>());
    let path = root().join("docs/following.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, page()).expect("the page");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(there, page(), "docs/following.md is not what is known; bless it with BLESS=1");
}
