//! A log that loses lines at its head while it is followed, or while nobody looks.

use rustix::fs::{FallocateFlags, fallocate};

use super::*;

const BLOCK: u64 = 4096;

/// How somebody takes away what a file begins with; false if the file system cannot.
type Trim = fn(&Rig) -> bool;

fn last_of(rig: &Rig) -> Vec<u8> {
    let bytes = fs::read(rig.path("app.log")).unwrap();
    let from = bytes.len() * 2 / 3;
    let line = memchr::memchr(b'\n', &bytes[from..]).unwrap();
    bytes[from + line + 1..].to_vec()
}

/// As `tail -n` into a new file and `mv`, or `sed -i 1,50d`.
fn by_rename(rig: &Rig) -> bool {
    fs::write(rig.path(".tmp"), last_of(rig)).unwrap();
    rig.rename(".tmp", "app.log");
    true
}

/// As `tail -n` into a new file and `cat` of that into the old one.
fn in_place(rig: &Rig) -> bool {
    fs::write(rig.path("app.log"), last_of(rig)).unwrap();
    true
}

fn with(rig: &Rig, flags: FallocateFlags) -> bool {
    let file = OpenOptions::new().write(true).open(rig.path("app.log")).unwrap();
    let done = fallocate(&file, flags, 0, BLOCK);
    if let Err(e) = done {
        eprintln!("not tried, the file system says: {e}");
    }
    done.is_ok()
}

fn punched(rig: &Rig) -> bool {
    with(rig, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE)
}

fn collapsed(rig: &Rig) -> bool {
    with(rig, FallocateFlags::COLLAPSE_RANGE)
}

const WAYS: [(&str, Trim); 4] =
    [("rename", by_rename), ("in place", in_place), ("punched", punched), ("collapsed", collapsed)];

fn line(n: usize) -> String {
    format!("2025-11-10T22:{:02}:{:02}Z line {n} {}", n / 60, n % 60, "x".repeat(n * 13 % 90))
}

fn write(rig: &Rig, numbers: std::ops::Range<usize>) {
    let text: String = numbers.map(|n| line(n) + "\n").collect();
    rig.write("app.log", text);
}

#[track_caller]
fn expect(rig: &mut Rig, numbers: std::ops::Range<usize>) {
    let want: Vec<String> = numbers.map(line).collect();
    rig.expect(&want.iter().map(String::as_str).collect::<Vec<_>>());
}

fn rigs() -> impl Iterator<Item = Rig> {
    let limits = [512, 0].map(|descriptors| Limits { descriptors, ..Limits::default() });
    limits.into_iter().flat_map(|limits| {
        ["app.log", "*.log"].into_iter().map(move |pattern| Rig::with(&[pattern], limits))
    })
}

#[test]
fn case_51_lines_are_taken_away_at_the_head() {
    for (way, trim) in WAYS {
        for is_stopped in [false, true] {
            for mut rig in rigs() {
                write(&rig, 0..200);
                rig.poll();
                expect(&mut rig, 0..200);
                rig.events.clear();
                let mut end = 200;
                for more in [0, 5, 40] {
                    if is_stopped {
                        rig.stop();
                    }
                    write(&rig, end..end + more);
                    if !trim(&rig) {
                        break;
                    }
                    if is_stopped {
                        rig.start();
                    }
                    rig.poll();
                    rig.poll();
                    eprintln!("{way} {is_stopped} {more}");
                    expect(&mut rig, end..end + more);
                    end += more;
                    // What is written next is read as ever.
                    write(&rig, end..end + 60);
                    rig.poll();
                    expect(&mut rig, end..end + 60);
                    end += 60;
                }
                rig.settle();
                rig.lines.clear();
                let report = rig.report();
                assert!(!report.iter().any(|word| word.contains("loss")), "{way} {report:?}");
            }
        }
    }
}

/// A look, or a stop and a start, at any length while what is left is written into the old file.
#[test]
fn case_51_a_look_while_the_rest_is_written() {
    for is_stopped in [false, true] {
        for mut rig in rigs() {
            write(&rig, 0..200);
            rig.poll();
            rig.lines.clear();
            rig.events.clear();
            write(&rig, 200..210);
            let left = last_of(&rig);
            let mut writer = File::create(rig.path("app.log")).unwrap();
            for part in left.chunks(left.len() / 5) {
                if is_stopped {
                    rig.stop();
                    rig.start();
                }
                rig.poll();
                rig.poll();
                writer.write_all(part).unwrap();
            }
            rig.poll();
            rig.poll();
            expect(&mut rig, 200..210);
            let report = rig.report();
            assert!(!report.iter().any(|word| word.contains("loss")), "{report:?}");
        }
    }
}

/// What was taken away and had not been read is lost, and that is told.
#[test]
fn case_51_what_was_not_read_is_told() {
    for is_stopped in [false, true] {
        let mut rig = Rig::new(&["app.log"]);
        write(&rig, 0..20);
        rig.poll();
        rig.lines.clear();
        rig.events.clear();
        if is_stopped {
            rig.stop();
        }
        write(&rig, 20..100);
        in_place(&rig);
        if is_stopped {
            rig.start();
        }
        rig.poll();
        rig.poll();
        assert!(!rig.lines.contains(&line(20)) && rig.lines.contains(&line(99)));
        let report = rig.report();
        assert!(report.iter().any(|word| word.contains("loss")), "{report:?}");
    }
}

/// Rotation is no trimming: what is in the copy is read there, and the new file from its start.
#[test]
fn case_51_the_same_lines_in_a_new_file_are_read() {
    for is_stopped in [false, true] {
        for is_copied in [false, true] {
            let mut rig = Rig::new(&["app.log"]);
            write(&rig, 0..50);
            rig.poll();
            rig.lines.clear();
            if is_stopped {
                rig.stop();
            }
            let left = last_of(&rig);
            if is_copied {
                rig.copy("app.log", "app.log.1");
                rig.truncate("app.log");
            } else {
                rig.rename("app.log", "app.log.1");
            }
            rig.write("app.log", &left);
            if is_stopped {
                rig.start();
            }
            rig.poll();
            rig.poll();
            rig.poll();
            assert_eq!(rig.lines.len(), String::from_utf8(left).unwrap().lines().count());
        }
    }
}

/// The old file of a log in UTF-16 is read on from the line in which its copy ends, not from the middle of a
/// character.
#[test]
fn case_47_the_old_file_in_utf_16_is_written_after_it_was_replaced() {
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide = |text: &str| text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
        // In U+010A one byte of a character is that of a line end.
        let first = wide("\u{feff}2025-11-10T22:00:00Z one \u{010a}\u{0a0a}\n");
        let begun = wide("2025-11-10T22:00:01Z tw\u{010a}");
        let rest = wide("o\n");
        let mut rig = Rig::new(&["app.log"]);
        let mut writer = append(&rig.path("app.log"));
        writer.write_all(&first).unwrap();
        rig.scan(Depth::Glob);
        let file = rig.tail.unread().next().unwrap();
        let block = rig.tail.read(file, &mut Vec::new()).unwrap().unwrap();
        assert_eq!(block.bytes, first.len() as u64);
        rig.keep(file, block.bytes);
        writer.write_all(&begun).unwrap();
        fs::write(rig.path(".tmp"), [first.clone(), begun.clone()].concat()).unwrap();
        rig.rename(".tmp", "app.log");
        rig.scan(Depth::Glob);
        writer.write_all(&rest).unwrap();
        rig.scan(Depth::Glob);
        let offsets: Vec<u64> = rig
            .events
            .iter()
            .filter_map(|event| match event {
                TailEvent::Opened { resumed_at, .. } if 0 < *resumed_at => Some(*resumed_at),
                _ => None,
            })
            .collect();
        assert_eq!(offsets, [first.len() as u64]);
    }
}
