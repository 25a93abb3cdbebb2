//! What is no file, and what is no text.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use super::*;

/// Bytes that are written, and the pieces they are handed out in.
#[track_caller]
fn check(bytes: &[u8], want: &[(&[u8], Content)]) {
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", bytes);
    rig.scan(Depth::Glob);
    let file = rig.tail.generations.keys().next().copied().unwrap();
    let mut buffer = Vec::new();
    let mut got = Vec::new();
    while let Some(block) = rig.tail.read(file, &mut buffer).unwrap() {
        got.push((buffer.clone(), block.content));
    }
    let want: Vec<_> = want.iter().map(|(bytes, content)| (bytes.to_vec(), *content)).collect();
    assert_eq!(got, want);
}

#[test]
fn case_41_bytes_pass_through() {
    for line in [
        &b"invalid \xff\xfe utf-8\n"[..],
        b"\xff\xfeh\0i\0\n\0",
        b"crlf\r\n",
        b"lone \r cr\n",
        "line\u{2028}separator\n".as_bytes(),
        b"\xef\xbb\xbfbom\n",
        b"\x1b[31mred\x1b[0m\n",
        b"\n\n\n",
        b"nul \0 inside\n",
    ] {
        check(line, &[(line, Content::Lines)]);
    }
}

#[test]
fn case_42_nul_block_after_a_crash() {
    let nuls = [0; 4096];
    let (lines, skipped) = (Content::Lines, Content::Nuls);
    check(&[&nuls[..], b"1\n"].concat(), &[(b"", skipped), (b"1\n", lines)]);
    check(
        &[b"1\n2\n", &nuls[..], b"3\n4\n"].concat(),
        &[(b"1\n2\n", lines), (b"", skipped), (b"3\n4\n", lines)],
    );
    // At the end they may be a block whose data have not arrived.
    check(&[b"1\n", &nuls[..]].concat(), &[(b"1\n", lines)]);
    let many = vec![0; 3 << 20];
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", [&many[..], b"1\n"].concat());
    rig.poll();
    assert_eq!(rig.lines.last().map(String::as_str), Some("1"));
    assert_eq!(rig.store.values().next().unwrap().offset, many.len() as u64 + 2);
}

#[test]
fn case_38_nuls_that_become_a_line_are_read_as_the_line() {
    use std::os::unix::fs::FileExt;
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", b"1\n\0\0");
    rig.poll();
    rig.expect(&["1"]);
    let file = OpenOptions::new().write(true).open(rig.path("app.log")).unwrap();
    file.write_all_at(b"2\n", 2).unwrap();
    // Whatever the clock of the file system says: it was written later.
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    rig.poll();
    rig.expect(&["2"]);
    rig.reported(&[]);
}

#[test]
fn case_19_something_else_stands_at_the_path() {
    type Make = fn(&Path);
    let kinds: [Make; 4] = [
        |path| fs::create_dir(path).unwrap(),
        |path| {
            let mode = rustix::fs::Mode::RUSR;
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
                .unwrap();
        },
        |path| drop(UnixListener::bind(path).unwrap()),
        |path| symlink("/dev/null", path).unwrap(),
    ];
    for make in kinds {
        let mut rig = Rig::new(&["a"]);
        rig.write("a", "1\n");
        rig.poll();
        rig.rename("a", "a.1");
        make(&rig.path("a"));
        rig.write("a.1", "2\n");
        rig.poll();
        rig.now += LONG;
        rig.poll();
        assert_eq!(rig.tail.status()[0].failing, Some(FailureKind::NotRegular));
        rig.rename("a", "a.2");
        rig.write("a", "3\n");
        rig.now += Limits::default().retry;
        rig.poll();
        rig.expect(&["1", "2", "3"]);
        assert_eq!(rig.tail.status()[0].failing, None);
        rig.reported(&["failed not_regular", "rename", "failed not_found", "closed"]);
    }
}

#[test]
fn case_21_links_that_lead_nowhere_or_in_circles_are_reported() {
    for (to, want) in [("nowhere", "failed not_found"), ("a", "failed io")] {
        let mut rig = Rig::new(&["a"]);
        symlink(rig.path(to), rig.path("a")).unwrap();
        rig.poll();
        rig.poll();
        assert_eq!(rig.report().first().map(String::as_str), Some(want));
    }
}

/// Whoever may write to the directory of a log must not make offhours read what it may and they may not.
#[test]
fn case_21_links_that_lead_out_of_the_directory_are_not_followed() {
    let mut rig = Rig::new(&["logs/*.log", "named.log"]);
    fs::create_dir(rig.path("logs")).unwrap();
    rig.write("secret", "1\n");
    rig.write("logs/real.log", "2\n");
    symlink(rig.path("secret"), rig.path("logs/a.log")).unwrap();
    symlink("../secret", rig.path("logs/b.log")).unwrap();
    symlink("real.log", rig.path("logs/c.log")).unwrap();
    rig.poll();
    rig.expect(&["2"]);
    rig.reported(&["failed outside", "failed outside"]);
    assert_eq!(rig.tail.status()[0].failing, Some(FailureKind::Outside));
    // Not by being there first, either; nor after a restart.
    rig.remove("logs/real.log");
    symlink(rig.path("secret"), rig.path("logs/real.log")).unwrap();
    rig.poll();
    rig.stop();
    rig.start();
    rig.poll();
    rig.expect(&[]);
    // A path that is written out was meant.
    symlink(rig.path("secret"), rig.path("named.log")).unwrap();
    rig.poll();
    rig.expect(&["1"]);
}

#[test]
fn a_directory_that_cannot_be_reached_does_not_mean_that_its_files_are_gone() {
    let mut rig = Rig::new(&["logs/*.log"]);
    fs::create_dir(rig.path("real")).unwrap();
    symlink(rig.path("real"), rig.path("logs")).unwrap();
    rig.write("logs/app.log", "1\n");
    rig.poll();
    rig.remove("logs");
    symlink(rig.path("logs"), rig.path("logs")).unwrap();
    for later in [0, 0, 0, 500, 0] {
        rig.now += Duration::from_millis(later);
        rig.poll();
    }
    rig.now += Limits::default().retry;
    assert_eq!(rig.report(), ["failed io", "failed io"]);
    assert_eq!(rig.tail.status()[0].failing, Some(FailureKind::Io));
    rig.remove("logs");
    symlink(rig.path("real"), rig.path("logs")).unwrap();
    rig.write("logs/app.log", "2\n");
    rig.poll();
    rig.expect(&["1", "2"]);
    rig.reported(&[]);
    assert_eq!(rig.tail.status()[0].failing, None);
}

/// Whether the one who runs the test is stopped by permissions at all: root is not.
fn permissions_bind(path: &Path) -> bool {
    File::open(path).is_err()
}

#[test]
fn case_34_a_file_that_may_not_be_read_is_read_from_its_start_once_it_may() {
    let mut rig = Rig::new(&["*.log"]);
    let mode = |mode| fs::Permissions::from_mode(mode);
    rig.write("app.log", "1\n");
    rig.write("b.log", "2\n");
    fs::set_permissions(rig.path("app.log"), mode(0)).unwrap();
    let binds = permissions_bind(&rig.path("app.log"));
    rig.poll();
    rig.poll();
    if binds {
        rig.expect(&["2"]);
        assert_eq!(rig.tail.status()[0].failing, Some(FailureKind::PermissionDenied));
    }
    fs::set_permissions(rig.path("app.log"), mode(0o644)).unwrap();
    rig.now += Limits::default().retry;
    rig.poll();
    rig.lines.sort();
    let want: &[&str] = if binds { &["1"] } else { &["1", "2"] };
    rig.expect(want);
    rig.reported(if binds { &["failed permission_denied"] } else { &[] });
    assert_eq!(rig.tail.status()[0].failing, None);
}

#[test]
fn a_directory_that_cannot_be_listed_does_not_mean_that_its_files_are_gone() {
    let mut rig = Rig::new(&["logs/*.log"]);
    fs::create_dir(rig.path("logs")).unwrap();
    rig.write("logs/app.log", "1\n");
    rig.poll();
    let mode = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(rig.path("logs"), mode(0)).unwrap();
    if fs::read_dir(rig.path("logs")).is_ok() {
        return;
    }
    rig.poll();
    rig.poll();
    assert_eq!(rig.report(), ["failed permission_denied", "failed permission_denied"]);
    fs::set_permissions(rig.path("logs"), mode(0o755)).unwrap();
    rig.write("logs/app.log", "2\n");
    rig.now += Limits::default().retry;
    rig.poll();
    rig.expect(&["1", "2"]);
    rig.reported(&[]);
}

#[test]
fn the_kinds_of_error_are_told_apart() {
    use rustix::io::Errno;
    for (errno, want) in [
        (Errno::ACCESS, "permission_denied"),
        (Errno::PERM, "permission_denied"),
        (Errno::NOENT, "not_found"),
        (Errno::NOTDIR, "not_found"),
        (Errno::MFILE, "too_many_descriptors"),
        (Errno::NFILE, "too_many_descriptors"),
        (Errno::NXIO, "not_regular"),
        (Errno::IO, "io"),
        (Errno::LOOP, "io"),
    ] {
        assert_eq!(FailureKind::of(&errno.into()).as_str(), want, "{errno:?}");
    }
}
