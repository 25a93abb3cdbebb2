//! Where bytes are cut.

use memchr::{memchr, memmem};
use proptest::prelude::*;

use super::*;

#[test]
fn bytes_are_cut_behind_their_last_line() {
    use Cut::{Hold, Lines, More, Nuls};
    for (bytes, at_end, only_one, want) in [
        (&b""[..], true, false, Hold),
        (b"1\n2\n", true, false, Lines(4)),
        (b"1\n2\n3", true, false, Lines(4)),
        (b"1\n2\n3", false, false, Lines(4)),
        (b"1\n2\n3", true, true, Lines(2)),
        (b"half", true, false, Hold),
        (b"half", false, false, More),
        (b"\n", true, false, Lines(1)),
        (b"\0\0", true, false, Hold),
        (b"\0\0", false, false, More),
        (b"\0\x001\n", true, false, Nuls(2)),
        (b"\0\0half", true, false, Nuls(2)),
        (b"1\n\0\x002\n", true, false, Lines(2)),
        (b"1\n2\n\0\0", true, false, Lines(4)),
        (b"1\0\n2\n", true, false, Lines(5)),
        (b"1\r\n", true, false, Lines(3)),
    ] {
        assert_eq!(
            cut(bytes, at_end, only_one, FileEncoding::default()),
            want,
            "{bytes:?} {at_end} {only_one}"
        );
    }
}

proptest! {
    /// Cut by cut nothing but NULs at the start of lines is left out, and every cut is whole lines.
    #[test]
    fn cuts_follow_each_other(bytes in "[a\n\0]{0,60}", only_one in any::<bool>()) {
        let bytes = bytes.as_bytes();
        let mut rest = bytes;
        loop {
            match cut(rest, true, only_one, FileEncoding::default()) {
                Cut::Lines(n) => {
                    let (lines, after) = rest.split_at(n);
                    prop_assert!(lines.ends_with(b"\n") && lines[0] != 0);
                    prop_assert!(memmem::find(lines, b"\n\0").is_none());
                    prop_assert!(!only_one || memchr::memchr_iter(b'\n', lines).count() == 1);
                    rest = after;
                }
                Cut::Nuls(n) => {
                    prop_assert!(rest[..n].iter().all(|byte| *byte == 0) && rest[n] != 0);
                    rest = &rest[n..];
                }
                Cut::Hold => break,
                Cut::More => prop_assert!(false, "nothing more can come"),
            }
        }
        let is_fragment = memchr(b'\n', rest).is_none();
        prop_assert!(is_fragment, "held back: {:?}", rest);
    }
}
