//! Files that only grow: every line once, as soon as it ends.

use std::io::Write;

use super::*;

#[test]
fn case_01_append_line_by_line() {
    let mut rig = Rig::new(&["app.log"]);
    for n in 0..20 {
        rig.write("app.log", format!("{n}\n"));
        rig.poll();
        rig.expect(&[&n.to_string()]);
        let status = rig.tail.status();
        assert_eq!((status[0].files, status[0].lag_bytes, status[0].failing), (1, 0, None));
    }
    rig.reported(&[]);
}

#[test]
fn a_poll_finds_the_growth_of_a_known_file_without_listing() {
    let mut rig = Rig::new(&["*.log"]);
    rig.write("app.log", "1\n");
    rig.poll();
    rig.write("app.log", "2\n");
    rig.scan(Depth::Stat);
    rig.read();
    rig.expect(&["1", "2"]);
}

#[test]
fn case_02_partial_line_finished_later() {
    let mut rig = Rig::new(&["app.log"]);
    for part in ["1\nha", "l", "f"] {
        rig.write("app.log", part);
        rig.poll();
    }
    rig.expect(&["1"]);
    let file = rig.tail.generations.keys().next().copied().unwrap();
    assert!(rig.tail.at_end(file), "a fragment is nothing to read");
    assert_eq!(rig.tail.status()[0].lag_bytes, 4);
    rig.write("app.log", " done\n2\n");
    rig.poll();
    rig.expect(&["half done", "2"]);
}

#[test]
fn case_03_write_cut_at_a_page() {
    let mut rig = Rig::new(&["app.log"]);
    let line = "x".repeat(6000);
    rig.write("app.log", &line[..4096]);
    rig.poll();
    rig.expect(&[]);
    rig.write("app.log", format!("{}\nnext\n", &line[4096..]));
    rig.poll();
    rig.expect(&[&line, "next"]);
}

#[test]
fn blocks_end_with_lines_and_follow_each_other() {
    let limits = Limits { block_bytes: 64, ..Limits::default() };
    let mut rig = Rig::with(&["app.log"], limits);
    let lines: Vec<String> = (0..200).map(|n| "y".repeat(n % 90) + &n.to_string()).collect();
    rig.write("app.log", lines.join("\n") + "\n");
    rig.scan(Depth::Glob);
    let file = rig.tail.unread().next().unwrap();
    let (mut buffer, mut end) = (Vec::new(), 0);
    while let Some(block) = rig.tail.read(file, &mut buffer).unwrap() {
        assert_eq!((block.offset, block.bytes), (end, buffer.len() as u64));
        assert!(buffer.len() <= 64 || memchr::memchr_iter(b'\n', &buffer).count() == 1);
        end += block.bytes;
        rig.take(&block, &buffer);
    }
    assert_eq!(rig.lines, lines);
}

#[test]
fn case_22_new_file_and_new_directory_in_the_glob() {
    let mut rig = Rig::new(&["*/app-?.log", "deep/**/x.log"]);
    rig.poll();
    rig.reported(&["failed not_found"]);
    fs::create_dir_all(rig.path("new")).unwrap();
    rig.write("new/app-1.log", "1\n");
    rig.poll();
    rig.expect(&["1"]);
    rig.write("new/app-2.log", "2\n");
    fs::create_dir_all(rig.path("deep/a/b")).unwrap();
    rig.write("deep/a/b/x.log", "3\n");
    rig.write("deep/x.log", "4\n");
    rig.poll();
    rig.lines.sort();
    rig.expect(&["2", "3", "4"]);
    assert_eq!(rig.tail.status()[0].files, 4);
    rig.reported(&[]);
}

#[test]
fn files_found_together_are_read_in_the_order_in_which_they_were_written() {
    let mut rig = Rig::new(&["app.log*"]);
    for (name, seconds) in [("app.log", 30), ("app.log.1", 20), ("app.log.2", 10)] {
        rig.write(name, format!("{name}\n"));
        let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        append(&rig.path(name)).set_modified(time).unwrap();
    }
    rig.poll();
    rig.expect(&["app.log.2", "app.log.1", "app.log"]);
}

#[test]
fn case_44_one_file_through_two_globs_and_links_is_counted_once() {
    let mut rig = Rig::new(&["*.log", "app*", "**/link"]);
    rig.write("app.log", "1\n");
    fs::hard_link(rig.path("app.log"), rig.path("app.hard")).unwrap();
    std::os::unix::fs::symlink(rig.path("app.log"), rig.path("link")).unwrap();
    for line in ["2\n", "3\n"] {
        rig.poll();
        rig.write("app.log", line);
    }
    rig.poll();
    rig.expect(&["1", "2", "3"]);
    assert_eq!(rig.tail.status()[0].files, 1);
    rig.reported(&[]);
}

#[test]
fn two_sources_read_the_same_file_each_for_itself() {
    let rig = Rig::new(&["app.log"]);
    rig.write("app.log", "1\n");
    let follow = |name: &str| Follow {
        source: name.into(),
        patterns: rig.patterns.clone(),
        encoding: Encoding::Auto,
    };
    let both = vec![follow("one"), follow("two")];
    let mut tail = Tail::new(both, Vec::new(), Limits::default()).unwrap();
    assert_eq!(tail.scan(Depth::Glob, POLL).len(), 2);
    let mut buffer = Vec::new();
    let sources: Vec<usize> = tail
        .unread()
        .collect::<Vec<_>>()
        .into_iter()
        .map(|file| tail.read(file, &mut buffer).unwrap().unwrap().source)
        .collect();
    assert_eq!(sources, [0, 1]);
}

#[test]
fn the_first_line_is_there_once_it_is_complete() {
    let mut rig = Rig::new(&["a.csv"]);
    let header = "column,".repeat(2000);
    let mut file = append(&rig.path("a.csv"));
    file.write_all(header.as_bytes()).unwrap();
    rig.poll();
    let id = rig.tail.generations.keys().next().copied().unwrap();
    assert_eq!(rig.tail.first_line(id).unwrap(), None);
    file.write_all(b"\n1,2\n").unwrap();
    assert_eq!(rig.tail.first_line(id).unwrap(), Some(header.into_bytes()));
    assert!(rig.tail.first_line(FileId(99)).is_err());
}
