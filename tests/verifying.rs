//! `offhours verify`: the first bad record is named, whatever was done to the ledger.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use offhours::app::verify::{Verified, verify};
use offhours::ledger::chain::{GENESIS, Head};
use offhours::ledger::{Entry, What};
use offhours::run::Irregularity;
use offhours::store::{Commit, Reader, Store};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::support::outside::Prometheus;
use crate::support::{Server, eventually, folder, offhours, root, text};

/// A folder with a configuration, its log and a ledger, and what each block of the ledger holds.
struct World {
    home: tempfile::TempDir,
    blocks: Vec<Block>,
}

#[derive(Clone)]
struct Block {
    first: u64,
    lines: Vec<Vec<u8>>,
}

impl Block {
    fn last(&self) -> u64 {
        self.first + self.lines.len() as u64 - 1
    }
}

/// A ledger of several blocks, with runs of two policies, written by the program and whole.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let home = folder();
    write_world(home.path());
    let blocks = blocks(&storage(home.path()));
    assert!(4 <= blocks.len() && blocks.iter().any(|block| 4 <= block.lines.len()));
    World { home, blocks }
});

fn storage(home: &Path) -> PathBuf {
    home.join("storage")
}

fn entries_of(server: &Server) -> u64 {
    let page = server.get("/metrics").1;
    let line = page.lines().find_map(|line| line.strip_prefix("offhours_ledger_entries "));
    line.expect("a number of entries").parse().expect("a number")
}

/// Appends to the log, and waits until something of it is on record.
fn append(server: &Server, home: &Path, line: &str) {
    let before = entries_of(server);
    let log = std::fs::File::options().append(true).open(home.join("northhost.log"));
    writeln!(log.expect("the log"), "{line}").expect("a line");
    eventually("the line is on record", || before < entries_of(server));
}

fn write_world(home: &Path) {
    let example = root().join("examples/quickstart");
    for name in ["offhours.yml", "northhost.log"] {
        std::fs::copy(example.join(name), home.join(name)).expect("a copy");
    }
    let config = home.join("offhours.yml");
    let server = Server::start_in(&config, &storage(home));
    let start = |job: &str| {
        let now = offhours::time::rfc3339(offhours::clock::now());
        format!(
            "time={now} msg=\"maintenance task\" state=started job={job} task=ledger-compaction target=orion trigger=manual"
        )
    };
    let end = |job: &str| start(job).replace("started", "finished");
    append(&server, home, &start("V-1"));
    append(&server, home, &end("V-1"));
    append(&server, home, &start("V-2"));
    let written = std::fs::read_to_string(&config).expect("a configuration");
    let other = written.replace("08:00-18:00", "00:00-24:00");
    assert_ne!(other, written);
    std::fs::write(&config, other).expect("another");
    assert_eq!(server.post("/-/reload").0, 200);
    append(&server, home, &end("V-2"));
    append(&server, home, &start("V-3"));
    append(&server, home, &end("V-3"));
    assert!(server.stop().success());
    let told = offhours(&[
        "ack",
        "V-1",
        "--by",
        "somebody",
        "--config.file",
        path(&config),
        "--storage.path",
        path(&storage(home)),
    ]);
    assert!(told.status.success(), "{}", text(&told.stderr));
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn open(dir: &Path) -> Connection {
    Connection::open(dir.join("ledger.db")).expect("the file")
}

fn blocks(dir: &Path) -> Vec<Block> {
    let db = open(dir);
    let mut query =
        db.prepare("SELECT first, deflated, body FROM blocks ORDER BY first").expect("SQL");
    let rows = query.query_map([], |row| {
        let (deflated, body): (bool, Vec<u8>) = (row.get(1)?, row.get(2)?);
        assert!(!deflated, "small blocks are stored as they are");
        let lines = body.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        Ok(Block { first: row.get(0)?, lines: lines.map(<[u8]>::to_vec).collect() })
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// A copy of the ledger to which something is done.
fn damaged(damage: impl FnOnce(&Connection)) -> (tempfile::TempDir, Verified) {
    let copy = folder();
    std::fs::copy(storage(WORLD.home.path()).join("ledger.db"), copy.path().join("ledger.db"))
        .expect("a copy");
    damage(&open(copy.path()));
    let verified = look(copy.path());
    (copy, verified)
}

fn look(dir: &Path) -> Verified {
    verify(&Reader::open(dir).expect("a ledger"), &BTreeSet::new(), |_| {})
}

fn named(verified: &Verified) -> Option<u64> {
    verified.fault.as_ref().map(|fault| fault.entry)
}

/// Runs the command on a folder; its exit code and what it says.
fn command(dir: &Path, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["verify", "--storage.path", path(dir)];
    arguments.extend(more);
    let output = offhours(&arguments);
    (output.status.code().expect("a code"), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_ledger_that_the_program_wrote_is_whole() {
    let dir = storage(WORLD.home.path());
    let (code, said) = command(&dir, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with("the ledger is whole\n"), "{said}");
    let verified = look(&dir);
    assert!(verified.is_whole(), "{verified:#?}");
    assert_eq!(verified.height, WORLD.blocks.last().expect("blocks").last());
    assert!(0 < verified.judged && verified.judged == verified.sealed, "{verified:#?}");
    let (code, said) = command(&dir, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said).expect("an object");
    assert_eq!((code, &report["whole"]), (0, &true.into()), "{said}");
    assert_eq!(command(&dir.join("nowhere"), &[]).0, 2);
}

#[test]
fn a_ledger_is_verified_while_it_is_written() {
    let home = folder();
    let config = root().join("examples/quickstart/offhours.yml");
    let server = Server::start_in(&config, home.path());
    let (code, said) = command(home.path(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(server.stop().success());
}

#[test]
fn removed_swapped_and_cut_records_are_named() {
    for block in &WORLD.blocks {
        let (first, last) = (block.first, block.last());
        let sql = format!("DELETE FROM blocks WHERE first = {first}");
        let (_copy, verified) = damaged(|db| db.execute_batch(&sql).expect("a change"));
        let is_last = block.first == WORLD.blocks.last().expect("blocks").first;
        match is_last {
            false => assert_eq!(named(&verified), Some(first)),
            // The row says that somebody took note, and the entry is missing: only the tail's runs tell.
            true => assert!(!verified.is_whole(), "{verified:#?}"),
        }
        for (place, number) in (first..=last).enumerate() {
            let mut lines = block.lines.clone();
            lines.remove(place);
            let (_copy, verified) = with_lines(first, &lines);
            // Without its last entry a block is too short.
            assert_eq!(named(&verified), Some(number));
            if number < last && block.lines[place] != block.lines[place + 1] {
                let mut lines = block.lines.clone();
                lines.swap(place, place + 1);
                assert_eq!(named(&with_lines(first, &lines).1), Some(number));
            }
        }
    }
    let last = WORLD.blocks.last().expect("blocks").first;
    let (_copy, verified) = damaged(|db| {
        for (from, to) in [(1, -1), (last as i64, 1), (-1, last as i64)] {
            db.execute("UPDATE blocks SET first = ?2 WHERE first = ?1", (from, to))
                .expect("a change");
        }
    });
    assert_eq!(named(&verified), Some(1));
}

fn with_lines(first: u64, lines: &[Vec<u8>]) -> (tempfile::TempDir, Verified) {
    let mut body = lines.join(&b'\n');
    body.push(b'\n');
    damaged(|db| {
        let changed = db.execute("UPDATE blocks SET body = ?2 WHERE first = ?1", (first, body));
        assert_eq!(changed.expect("a change"), 1);
    })
}

#[test]
fn a_cut_end_shows_in_the_rows_of_its_runs() {
    for block in WORLD.blocks.iter().skip(1) {
        let sql = format!("DELETE FROM blocks WHERE {} <= first", block.first);
        let (_copy, verified) = damaged(|db| db.execute_batch(&sql).expect("a change"));
        assert!(!verified.is_whole(), "cut at {}", block.first);
        assert_eq!(verified.height, block.first - 1);
    }
}

/// Changes the text of entries and makes the whole chain anew, as somebody would who knows how.
fn forge(db: &Connection, change: impl Fn(&str) -> String) {
    let mut head: Head = GENESIS;
    for block in &WORLD.blocks {
        let (mut body, mut marks) = (Vec::new(), Vec::new());
        for line in &block.lines {
            let line = change(std::str::from_utf8(line).expect("text"));
            head = head.after(line.as_bytes());
            marks.extend(head.mark());
            body.extend(line.as_bytes());
            body.push(b'\n');
        }
        let sql = "UPDATE blocks SET body = ?2, marks = ?3, head = ?4 WHERE first = ?1";
        db.execute(sql, (block.first, body, marks, head.0)).expect("a change");
    }
}

#[test]
fn a_forged_verdict_is_found_by_judging_again() {
    let (_copy, verified) = damaged(|db| forge(db, str::to_owned));
    assert!(verified.is_whole(), "{verified:#?}");
    for (old, new, told) in [
        (
            "\"verdict\":\"violation\",\"business\"",
            "\"verdict\":\"compliant\",\"business\"",
            "sealed",
        ),
        (
            "\"trigger\":\"manual\"",
            "\"trigger\":\"schedule\"",
            "wrong_trigger is on record and does not hold",
        ),
        ("\"in_business_hours\"", "\"outside_window\"", "in_business_hours holds"),
    ] {
        let (_copy, verified) = damaged(|db| forge(db, |line| line.replace(old, new)));
        assert_eq!(verified.fault, None, "{old}");
        let all = format!("{:?}", verified.wrong);
        assert!(all.contains(told), "{old}: {all}");
    }
}

#[test]
fn rows_and_policies_are_held_against_the_entries() {
    for sql in [
        "UPDATE runs SET verdict = 'compliant' WHERE no = 2",
        "UPDATE runs SET state = 'failed' WHERE no = 2",
        "UPDATE runs SET business_nanos = business_nanos + 1 WHERE no = 2",
        "UPDATE runs SET since = replace(since, '\"end\"', '\"ent\"') WHERE no = 2",
        "UPDATE runs SET since = 'x' WHERE no = 2",
        "UPDATE runs SET first_entry = first_entry + 1 WHERE no = 2",
        "DELETE FROM runs WHERE no = 2",
        "INSERT INTO runs SELECT no + 1000, partner, service, procedure, run_id, start, state, verdict,
            first_entry, business_nanos, outside_nanos, since FROM runs WHERE no = 2",
    ] {
        let (_copy, verified) = damaged(|db| db.execute_batch(sql).expect("a change"));
        let by_run = verified.wrong.iter().any(|wrong| wrong.run == 2);
        let by_entry = verified.fault.as_ref().is_some_and(|fault| fault.what.contains("run 10"));
        assert!(by_run || by_entry, "{sql}: {verified:#?}");
    }
    let (_copy, verified) = damaged(|db| {
        db.execute_batch("UPDATE policies SET body = x'00' WHERE no = 1").expect("it")
    });
    assert_eq!(verified.wrong_policies.len(), 1, "{verified:#?}");
    assert!(!verified.is_whole());
    let (_copy, verified) = damaged(|db| db.execute_batch("DELETE FROM policies").expect("it"));
    assert!(verified.is_whole() && verified.judged == 0);
    assert_eq!(verified.not_at_hand.values().map(|(runs, _)| runs).sum::<u64>(), verified.sealed);
}

#[test]
fn a_ledger_of_an_earlier_make_is_verified_and_goes_on() {
    let before = "ALTER TABLE blocks DROP COLUMN marks; DROP TABLE policies";
    let (copy, verified) = damaged(|db| db.execute_batch(before).expect("a change"));
    assert!(verified.is_whole() && verified.judged == 0, "{verified:#?}");
    let mut store = Store::open(copy.path()).expect("a ledger");
    store.load().expect("its entries");
    let entries = notes(3, "later");
    store.commit(&Commit { entries, ..Commit::default() }).expect("a commit");
    drop(store);
    let height = verified.height + 3;
    assert_eq!(look(copy.path()).height, height);
    // Blocks with marks name the entry, those without name the first of their block.
    for (first, want) in [(1, 1), (verified.height + 1, height)] {
        let again = folder();
        std::fs::copy(copy.path().join("ledger.db"), again.path().join("ledger.db")).expect("it");
        let sql =
            "UPDATE blocks SET body = CAST(substr(body, 1, length(body) - 4) || 'x\"}}}' AS BLOB)
            WHERE first = ?1";
        let db = open(again.path());
        db.execute(sql, [first]).expect("a change");
        drop(db);
        let named = named(&look(again.path()));
        assert!(
            named == Some(want) || named.is_some_and(|n| first == 1 && n <= WORLD.blocks[0].last())
        );
    }
}

/// Entries about nothing in particular.
fn notes(count: usize, word: &str) -> Vec<Entry> {
    let note = |n: usize| Entry {
        clock: chrono::DateTime::from_timestamp(1_773_100_800 + n as i64, 0).expect("a time"),
        partner: "northhost".into(),
        what: What::Irregular {
            kind: Irregularity::Late,
            at: Default::default(),
            detail: format!("{word} {}", n * 7_919 % 1_009),
            times: 1,
            place: None,
        },
    };
    (0..count).map(note).collect()
}

/// A ledger with one block that is deflated.
static LARGE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let home = folder();
    let mut store = Store::open(home.path()).expect("a ledger");
    store.load().expect("an empty one");
    let entries = notes(400, "late");
    store.commit(&Commit { entries, ..Commit::default() }).expect("a commit");
    home
});

fn inflated(body: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = flate2::read::DeflateDecoder::new(body);
    let (mut text, mut byte) = (Vec::new(), [0]);
    while matches!(decoder.read(&mut byte), Ok(1)) {
        text.extend(byte);
    }
    text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// What verifying is about, as text.
fn contents(dir: &Path) -> Option<String> {
    let db = Connection::open(dir.join("ledger.db")).ok()?;
    let mut all = String::new();
    for sql in [
        "SELECT * FROM blocks ORDER BY first",
        "SELECT * FROM runs ORDER BY no",
        "SELECT digest, body FROM policies ORDER BY no",
    ] {
        let mut query = db.prepare(sql).ok()?;
        let columns = query.column_count();
        let mut rows = query.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            for column in 0..columns {
                let value: rusqlite::types::Value = row.get(column).ok()?;
                all += &format!("{value:?}\n");
            }
        }
    }
    Some(all)
}

/// Damages of each kind; `OFFHOURS_DAMAGES` asks for more.
fn cases() -> u32 {
    std::env::var("OFFHOURS_DAMAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(120)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_flipped_bit_in_an_entry_is_named(which: prop::sample::Index, byte: prop::sample::Index, bit in 0..8_u32) {
        let total: usize = WORLD.blocks.iter().map(|block| block.lines.len()).sum();
        let mut place = which.index(total);
        let block = WORLD.blocks.iter().find(|block| match block.lines.len() {
            n if place < n => true,
            n => { place -= n; false }
        });
        let block = block.expect("a block");
        let mut lines = block.lines.clone();
        let at = byte.index(lines[place].len());
        lines[place][at] ^= 1 << bit;
        let (_copy, verified) = with_lines(block.first, &lines);
        prop_assert_eq!(named(&verified), Some(block.first + place as u64));
        prop_assert!(!verified.is_whole());
    }

    #[test]
    fn a_flipped_bit_in_a_deflated_block_is_named(byte: prop::sample::Index, bit in 0..8_u32) {
        let copy = folder();
        std::fs::copy(LARGE.path().join("ledger.db"), copy.path().join("ledger.db")).expect("a copy");
        let db = open(copy.path());
        let sql = "SELECT deflated, body FROM blocks";
        let (deflated, mut body): (bool, Vec<u8>) =
            db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a block");
        prop_assert!(deflated);
        let want = inflated(&body);
        let at = byte.index(body.len());
        body[at] ^= 1 << bit;
        db.execute("UPDATE blocks SET body = ?1", [&body]).expect("a change");
        drop(db);
        let found = inflated(&body);
        let same = found.iter().zip(&want).take_while(|(found, want)| found == want).count();
        let is_same = found.len() == want.len() && same == want.len();
        let named = named(&look(copy.path()));
        prop_assert_eq!(named, (!is_same).then_some(same as u64 + 1), "bit {} of byte {}", bit, at);
    }

    #[test]
    fn a_flipped_bit_beside_an_entry_is_named(which: prop::sample::Index, byte: prop::sample::Index, bit in 0..8_u32) {
        let block = which.get(&WORLD.blocks);
        for (column, want) in [
            ("head", Some(block.last())),
            ("marks", Some(block.first + (byte.index(block.lines.len() * 4) / 4) as u64)),
        ] {
            let length = if column == "head" { 32 } else { block.lines.len() * 4 };
            let (_copy, verified) = damaged(|db| {
                let sql = format!("SELECT {column} FROM blocks WHERE first = ?1");
                let mut value: Vec<u8> = db.query_row(&sql, [block.first], |row| row.get(0)).expect("it");
                value[byte.index(length)] ^= 1 << bit;
                let sql = format!("UPDATE blocks SET {column} = ?2 WHERE first = ?1");
                db.execute(&sql, (block.first, value)).expect("a change");
            });
            prop_assert_eq!(named(&verified), want, "{}", column);
        }
        let count = block.lines.len() as u64 ^ (1 << bit);
        let (_copy, verified) = damaged(|db| {
            db.execute("UPDATE blocks SET count = ?2 WHERE first = ?1", (block.first, count)).expect("it");
        });
        let named = named(&verified);
        prop_assert!(named.is_some_and(|n| block.first <= n && n <= block.last() + 1), "{:?}", named);
    }

    #[test]
    fn a_flipped_bit_of_the_file_changes_nothing_unseen(byte: prop::sample::Index, bit in 0..8_u32) {
        let copy = folder();
        let mut bytes = std::fs::read(storage(WORLD.home.path()).join("ledger.db")).expect("the file");
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        std::fs::write(copy.path().join("ledger.db"), bytes).expect("a copy");
        let is_told = match Reader::open(copy.path()) {
            Err(_) => true,
            Ok(reader) => !verify(&reader, &BTreeSet::new(), |_| {}).is_whole(),
        };
        if !is_told {
            // Compared only then, and line by line: a person wants to see what went unseen.
            let (found, want) = (contents(copy.path()), contents(&storage(WORLD.home.path())));
            let (found, want) = (found.unwrap_or_default(), want.expect("the tables"));
            let other = found.lines().zip(want.lines()).find(|(found, want)| found != want);
            prop_assert_eq!((other, found.len()), (None, want.len()), "bit {} of byte {}", bit, at);
        }
    }
}

#[test]
fn a_ledger_that_was_cut_whole_shows_only_against_prometheus() {
    let home = folder();
    let config = home.path().join("offhours.yml");
    let example = root().join("examples/quickstart");
    std::fs::copy(example.join("offhours.yml"), &config).expect("a copy");
    std::fs::copy(example.join("northhost.log"), home.path().join("northhost.log"))
        .expect("a copy");
    let dir = storage(home.path());
    assert!(Server::start_in(&config, &dir).stop().success());
    let short = folder();
    std::fs::copy(dir.join("ledger.db"), short.path().join("ledger.db")).expect("a copy");

    let server = Server::start_in(&config, &dir);
    let Some(prometheus) = Prometheus::witness(server.address()) else { return };
    let now = offhours::time::rfc3339(offhours::clock::now());
    append(
        &server,
        home.path(),
        &format!("time={now} msg=\"maintenance task\" state=started job=V-9 task=x target=orion"),
    );
    let entries = entries_of(&server);
    eventually("Prometheus has seen it", || {
        let query = "/api/v1/query?query=max(offhours_ledger_entries)";
        let (_, body) = crate::support::ask(prometheus.address(), "GET", query);
        body.contains(&format!("\"{entries}\""))
    });
    let url = format!("http://{}", prometheus.address());
    let (code, said) = command(&dir, &["--against-prometheus", &url]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Prometheus saw the same"), "{said}");
    assert!(server.stop().success());

    assert_eq!(command(short.path(), &[]).0, 0);
    let (code, said) = command(short.path(), &["--against-prometheus", &url]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("its end is cut off"), "{said}");

    let other = folder();
    std::fs::copy(storage(WORLD.home.path()).join("ledger.db"), other.path().join("ledger.db"))
        .expect("a copy");
    let (code, said) = command(other.path(), &["--against-prometheus", &url]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Prometheus saw another head"), "{said}");

    let (code, said) = command(&dir, &["--against-prometheus", &url, "--instance", "nobody"]);
    assert_eq!(code, 3, "{said}");
    let (code, _) = command(&dir, &["--against-prometheus", "http://127.0.0.1:1"]);
    assert_eq!(code, 3);
    assert_eq!(command(&dir, &["--against-prometheus", "nothing"]).0, 2);
}
