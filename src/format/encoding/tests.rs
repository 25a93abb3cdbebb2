//! Encodings, as rows.

use super::*;

fn le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The lines of a block with their offsets; `!` is one that cannot be read.
fn lines(encoding: FileEncoding, block: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    encoding.parts(block, &mut |at, part| {
        found.push(match part {
            Part::Text(text) => format!("{at}:{}", String::from_utf8_lossy(&text)),
            Part::Bad(line, rejection) => {
                assert_eq!(rejection.reason, Reason::Encoding);
                format!("{at}!{}", line.len())
            }
        });
    });
    found
}

#[test]
fn the_first_bytes_tell_what_a_file_is() {
    use Encoding::{Auto, Latin1, Utf8, Utf16Be, Utf16Le, Windows1252};
    let rows: [(Encoding, &[u8], Encoding, bool); 20] = [
        (Auto, b"", Utf8, true),
        (Auto, b"time=1", Utf8, true),
        (Auto, b"\xef\xbb\xbftime=1", Utf8, true),
        (Auto, b"\xff\xfet\0", Utf16Le, true),
        (Auto, b"\xfe\xff\0t", Utf16Be, true),
        // Without a mark it is not guessed at.
        (Auto, b"t\0i\0", Utf16Le, false),
        (Auto, b"\0t\0i", Utf16Be, false),
        (Auto, b"\0\0\0\0time", Utf8, true),
        (Utf8, b"time", Utf8, true),
        (Utf8, b"\xff\xfet\0i\0", Utf16Le, false),
        (Latin1, b"t\0i\0", Utf16Le, false),
        (Latin1, b"\xef\xbb\xbftime", Utf8, false),
        (Windows1252, b"time\xfc", Windows1252, true),
        (Utf16Le, b"t\0i\0", Utf16Le, true),
        (Utf16Le, b"\xff\xfet\0", Utf16Le, true),
        (Utf16Le, b"\xfe\xff\0t", Utf16Be, false),
        (Utf16Le, b"\0t\0i", Utf16Be, false),
        (Utf16Be, b"time=1\ntime=2", Utf8, false),
        (Utf16Be, b"time=1", Utf16Be, true),
        (Utf16Le, "\u{4e00}\u{0a0a}\u{4e01}".as_bytes(), Utf16Le, true),
    ];
    for (told, head, charset, is_told) in rows {
        let contradicts = (!is_told).then_some(told);
        let found = FileEncoding::of(told, head, false);
        assert_eq!(found, FileEncoding { charset, contradicts }, "{told} {head:?}");
    }
    // The NUL of this line end may be on its way.
    assert_eq!(FileEncoding::of(Utf16Le, b"\x01\x4e\n", true).charset, Utf16Le);
}

#[test]
fn lines_become_utf_8_and_keep_their_offsets() {
    let of = |told| FileEncoding::of(told, b"", false);
    let text = "time=1 ü\nday €\n\u{1f600}\n";
    let want = ["0:time=1 ü\n", "18:day €\n", "30:\u{1f600}\n"];
    assert_eq!(lines(of(Encoding::Utf16Le), &le(text)), want);
    assert_eq!(lines(of(Encoding::Utf16Be), &be(text)), want);
    let narrow = b"plain\nM\xfcnchen \x80\nplain\n";
    assert_eq!(
        lines(of(Encoding::Windows1252), narrow),
        ["0:plain\n", "6:München €\n", "16:plain\n"]
    );
    let latin = ["0:plain\n", "6:München \u{80}\n", "16:plain\n"];
    assert_eq!(lines(of(Encoding::Latin1), narrow), latin);
    // U+0A0A and U+0A00 hold the byte of a line end.
    let odd = le("\u{0a0a}\u{0a00}a\nb");
    assert_eq!(of(Encoding::Utf16Le).first_end(&odd), Some(8));
    assert_eq!(of(Encoding::Utf16Le).last_end(&odd), Some(8));
}

#[test]
fn what_is_none_of_the_encoding_rejects_its_line_alone() {
    let of = |told| FileEncoding::of(told, b"", false);
    let rows: [(Encoding, &[u8], &[&str]); 8] = [
        (Encoding::Auto, b"one\ntwo\n", &["0:one\ntwo\n"]),
        (Encoding::Auto, b"one\nt\xfcwo\nthree\nfour\n", &["0:one\n", "4!5", "9:three\nfour\n"]),
        // A writer that goes over to UTF-16 in the middle.
        (Encoding::Auto, b"one\nt\0w\0o\0\n\0", &["0:one\n", "4!7", "11:\0"]),
        (Encoding::Auto, b"\0\0\0one\n", &["0:\0\0\0one\n"]),
        (Encoding::Windows1252, b"a\x81\nb\n", &["0!3", "3:b\n"]),
        (Encoding::Utf16Le, b"a\0\x00\xd8b\0\n\0c\0\n\0", &["0!8", "8:c\n"]),
        (Encoding::Utf16Be, b"\0a\0\n\0b\0", &["0:a\n", "4!3"]),
        // UTF-32, whose mark begins like that of UTF-16.
        (
            Encoding::Auto,
            b"\xff\xfe\0\0a\0\0\0b\0\0\0\n\0\0\0c\0\0\0\n\0\0\0",
            &["0!14", "14!8", "22:\0"],
        ),
    ];
    for (told, block, want) in rows {
        let head = if block.starts_with(b"\xff\xfe") { block } else { b"" };
        let encoding = FileEncoding::of(told, head, false);
        assert_eq!(lines(encoding, block), want, "{told} {block:?}");
    }
    let told = |encoding: FileEncoding, block: &[u8]| encoding.parts(block, &mut |_, _| ());
    assert_eq!(told(of(Encoding::Auto), b"plain\n"), Told::Nothing);
    assert_eq!(told(of(Encoding::Auto), "grün\n".as_bytes()), Told::Right);
    assert_eq!(told(of(Encoding::Auto), b"gr\xfcn\nplain\n"), Told::Wrong);
    assert_eq!(told(of(Encoding::Auto), "gr\u{fc}n\n".as_bytes()), Told::Right);
}

#[test]
fn of_a_file_that_is_something_else_every_line_is_rejected() {
    for (told, bytes, charset) in [
        (Encoding::Auto, le("a=1\nb=2\n"), "utf-16le"),
        (Encoding::Utf8, be("a=1\nb=2\n"), "utf-16be"),
        (Encoding::Utf16Le, b"a=1\nb=2\n".to_vec(), "utf-8"),
    ] {
        let encoding = FileEncoding::of(told, &bytes, false);
        let each = bytes.len() / 2;
        assert_eq!(lines(encoding, &bytes), [format!("0!{each}"), format!("{each}!{each}")]);
        let rejection = encoding.text(&bytes).unwrap_err();
        let want = format!("the file is written in {charset}, the source says encoding {told}");
        assert_eq!(rejection.detail, want);
        assert_eq!(encoding.lossy(&bytes), b"a=1\nb=2\n");
    }
}
