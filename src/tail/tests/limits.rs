//! Nothing grows without a bound: lines, files, descriptors.

use std::io::Write;

use super::*;

#[test]
fn case_40_a_line_of_64_mib() {
    let mut rig = Rig::new(&["app.log"]);
    let mut file = append(&rig.path("app.log"));
    file.write_all(b"1\n").unwrap();
    let part = vec![b'x'; 1 << 20];
    for n in 0..64 {
        file.write_all(&part).unwrap();
        if n % 16 == 0 {
            rig.poll();
        }
    }
    rig.poll();
    rig.expect(&["1"]);
    file.write_all(b"\n2\n").unwrap();
    rig.poll();
    rig.expect(&["<oversize 67108865>", "2"]);
    assert!(rig.buffer.capacity() <= 2 << 20, "{}", rig.buffer.capacity());
    assert_eq!(rig.store.values().next().unwrap().offset, 2 + (64 << 20) + 1 + 2);
}

/// Lines around the limit, in files around the size of a block.
#[test]
fn lines_up_to_the_limit_are_handed_out_and_longer_ones_are_not() {
    let limits = Limits { block_bytes: 16, line_bytes: 100, ..Limits::default() };
    for length in [0, 1, 15, 16, 17, 63, 64, 65, 99, 100, 101, 102, 116, 117, 1000] {
        for whole in [true, false] {
            let mut rig = Rig::with(&["app.log"], limits);
            let long = "x".repeat(length);
            rig.write("app.log", format!("before\n{long}"));
            if !whole {
                rig.poll();
            }
            rig.write("app.log", "\nafter\n");
            rig.poll();
            let oversize = format!("<oversize {}>", length + 1);
            rig.expect(&["before", if length <= 100 { &long } else { &oversize }, "after"]);
        }
    }
}

#[test]
fn an_over_long_line_at_the_end_of_a_generation() {
    let limits = Limits { line_bytes: 100, ..Limits::default() };
    let mut rig = Rig::with(&["app.log"], limits);
    rig.write("app.log", "x".repeat(500));
    rig.poll();
    rig.rename("app.log", "app.log.1");
    rig.settle();
    rig.expect(&["<oversize 500>"]);
    rig.reported(&["rename", "failed not_found", "closed"]);
}

#[test]
fn case_24_more_files_than_allowed_are_reported_and_the_others_are_read() {
    let mut rig = Rig::with(&["*.log"], Limits { files: 3, ..Limits::default() });
    for n in 0..5 {
        rig.write(&format!("{n}.log"), format!("{n}\n"));
    }
    for _ in 0..3 {
        rig.poll();
    }
    assert_eq!(rig.lines.len(), 3);
    rig.reported(&["failed too_many_files"]);
    assert_eq!(rig.tail.status()[0].failing, Some(FailureKind::TooManyFiles));
    // One that goes makes room for another.
    let followed = rig.tail.generations.values().next().unwrap().path.clone();
    fs::remove_file(followed).unwrap();
    rig.settle();
    assert_eq!(rig.lines.len(), 4);
    rig.reported(&["vanished", "closed"]);
}

#[test]
fn more_directory_entries_than_allowed_are_reported() {
    let mut rig = Rig::with(&["*.log"], Limits { entries: 3, ..Limits::default() });
    for n in 0..5 {
        rig.write(&format!("{n}.log"), format!("{n}\n"));
    }
    rig.poll();
    rig.poll();
    assert_eq!(rig.lines.len(), 3);
    rig.reported(&["failed too_many_files"]);
}

#[test]
fn idle_files_are_closed_when_descriptors_are_short() {
    let mut rig = Rig::with(&["*.log"], Limits { descriptors: 4, ..Limits::default() });
    let names: Vec<String> = (0..20).map(|n| format!("{n:02}.log")).collect();
    names.iter().for_each(|name| rig.write(name, "1\n"));
    rig.poll();
    let open = |rig: &Rig| rig.tail.generations.values().filter(|g| g.file.is_some()).count();
    assert_eq!((open(&rig), rig.lines.len()), (4, 20));
    rig.now += LONG;
    rig.poll();
    assert_eq!(open(&rig), 0, "nothing has happened for long");
    names.iter().for_each(|name| rig.write(name, "2\n"));
    rig.poll();
    assert_eq!((open(&rig), rig.lines.len()), (4, 40));
    rig.reported(&[]);
}

#[test]
fn nothing_is_done_where_nothing_changed() {
    let mut rig = Rig::new(&["*.log"]);
    (0..50).for_each(|n| rig.write(&format!("{n}.log"), "1\n"));
    rig.poll();
    assert_eq!(rig.tail.unread().count(), 0);
    let before: Vec<_> = rig.tail.generations.values().map(|g| g.quiet_since).collect();
    for depth in [Depth::Stat, Depth::Glob] {
        rig.events.clear();
        rig.scan(depth);
        assert!(rig.events.is_empty() && rig.tail.restless().is_empty());
    }
    let after: Vec<_> = rig.tail.generations.values().map(|g| g.quiet_since).collect();
    assert_eq!(before, after);
}

#[test]
fn patterns_that_say_nothing_are_refused() {
    for pattern in ["app.log", "", "/", "/var/log/", "/var/log/**", "/var/../log"] {
        let follow =
            Follow { source: "s".into(), patterns: vec![pattern.into()], encoding: Encoding::Auto };
        let error = Tail::new(vec![follow], Vec::new(), Limits::default()).err();
        assert_eq!(error, Some(PatternError(pattern.into())));
    }
}

/// The lines of a file, and how many bytes were read for them.
fn read_all(rig: &mut Rig) -> (Vec<String>, u64) {
    rig.scan(Depth::Glob);
    let mut cost = 0;
    for file in rig.tail.unread().collect::<Vec<_>>() {
        let mut buffer = Vec::new();
        while let Some(block) = rig.tail.read(file, &mut buffer).unwrap() {
            rig.take(&block, &buffer);
            cost += block.cost;
            rig.keep(file, block.offset + block.bytes);
        }
    }
    (std::mem::take(&mut rig.lines), cost)
}

#[test]
fn case_53_a_hole_is_not_read_however_large_it_is() {
    const HOLE: u64 = 100 << 30;
    let rest = |before: &str| {
        let mut rig = Rig::new(&["app.log"]);
        rig.write("app.log", before);
        append(&rig.path("app.log")).set_len(HOLE).unwrap();
        // It may be filled yet.
        let first = read_all(&mut rig);
        assert!(first.1 <= 1 << 20, "{first:?}");
        rig.stop();
        rig.start();
        rig.write("app.log", "\n2\n");
        let (lines, cost) = read_all(&mut rig);
        assert!(cost <= 8 << 20, "{cost}");
        let end = rig.store.values().next().unwrap().offset;
        assert_eq!(end, HOLE + 3);
        (first.0, lines)
    };
    assert_eq!(
        rest("1\n"),
        (vec!["1".into()], vec![format!("<nuls {}>", HOLE - 2), "".into(), "2".into()])
    );
    // Within a line that is too long as well.
    let oversize = format!("<oversize {}>", HOLE + 1);
    assert_eq!(rest("half"), (vec![], vec![oversize, "2".into()]));
}

#[test]
fn case_53_room_that_a_file_got_in_advance_is_read_as_it_is_filled() {
    use std::os::unix::fs::FileExt;
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", "1\n");
    let file = File::options().write(true).open(rig.path("app.log")).unwrap();
    file.set_len(64 << 20).unwrap();
    let mut at = 2;
    assert_eq!(read_all(&mut rig).0, ["1"]);
    for line in ["2\n", "3\n", "4\n"] {
        rig.tick();
        file.write_all_at(line.as_bytes(), at).unwrap();
        at += 2;
        assert_eq!(read_all(&mut rig).0, [line.trim_end()]);
    }
}
