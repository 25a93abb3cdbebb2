//! Reads along with the parser: what the raw bytes of a request's head say that the parser keeps to
//! itself.
//!
//! The parser drops a Content-Length beside a Transfer-Encoding without a word, and answers a long
//! URL like a long header. A request that frames its body twice is how requests are smuggled past
//! proxies (RFC 9112, section 11.2), so it is worth reading the names of the fields once more.

/// Longest field name of interest, `transfer-encoding`, and the colon.
const PREFIX_BYTES: usize = 18;

/// Where in a request the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    RequestLine,
    Fields,
    /// Behind the head of a request with a body. The server closes after such a request, so nothing
    /// that follows is a head.
    Body,
}

/// Follows the heads of a connection's requests, byte by byte, in constant space.
#[derive(Debug)]
pub(super) struct HeadScan {
    part: Part,
    /// The first bytes of the current line, in lower case.
    prefix: Vec<u8>,
    line_bytes: usize,
    /// Length of the last request line, as far as it came.
    request_line_bytes: usize,
    framings: usize,
}

impl HeadScan {
    pub(super) fn new() -> HeadScan {
        HeadScan {
            part: Part::RequestLine,
            prefix: Vec::with_capacity(PREFIX_BYTES),
            line_bytes: 0,
            request_line_bytes: 0,
            framings: 0,
        }
    }

    /// Takes the next bytes that came from the client.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match (self.part, byte) {
                (Part::Body, _) => return,
                (_, b'\n') => self.end_line(),
                _ => self.extend_line(*byte),
            }
        }
    }

    /// Whether the bytes so far end within a head.
    pub(super) fn is_mid_head(&self) -> bool {
        match self.part {
            Part::RequestLine => 0 < self.line_bytes,
            Part::Fields => true,
            Part::Body => false,
        }
    }

    /// Length of the last request line, or of what there is of it, without its end.
    pub(super) fn request_line_bytes(&self) -> usize {
        self.request_line_bytes
    }

    /// Whether a request with a body has begun.
    pub(super) fn has_body(&self) -> bool {
        self.part == Part::Body
    }

    /// Whether that body's length is stated more than once: two lengths, two encodings, or both.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.has_body() && 1 < self.framings
    }

    fn extend_line(&mut self, byte: u8) {
        self.line_bytes = self.line_bytes.saturating_add(1);
        if self.part == Part::RequestLine {
            self.request_line_bytes = self.line_bytes;
        }
        if self.prefix.len() < PREFIX_BYTES {
            self.prefix.push(byte.to_ascii_lowercase());
        }
    }

    fn end_line(&mut self) {
        let is_blank = matches!(self.prefix.as_slice(), b"" | b"\r");
        match (self.part, is_blank) {
            // Blank lines before a request are skipped (RFC 9112, section 2.2).
            (Part::RequestLine, true) => {}
            (Part::RequestLine, false) => {
                self.part = Part::Fields;
                self.framings = 0;
            }
            (Part::Fields, true) => {
                self.part = if self.framings == 0 { Part::RequestLine } else { Part::Body };
            }
            (Part::Fields, false) => self.framings += usize::from(self.is_framing()),
            (Part::Body, _) => {}
        }
        self.prefix.clear();
        self.line_bytes = 0;
    }

    fn is_framing(&self) -> bool {
        self.prefix.starts_with(b"content-length:")
            || self.prefix.starts_with(b"transfer-encoding:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (mid head, has body, ambiguous)
    fn facts(scan: &HeadScan) -> (bool, bool, bool) {
        (scan.is_mid_head(), scan.has_body(), scan.is_ambiguous())
    }

    fn check(bytes: &str, want: (bool, bool, bool)) {
        let mut whole = HeadScan::new();
        whole.feed(bytes.as_bytes());
        assert_eq!(facts(&whole), want, "{bytes:?}");
        let mut dribbled = HeadScan::new();
        for byte in bytes.as_bytes() {
            dribbled.feed(std::slice::from_ref(byte));
        }
        assert_eq!(facts(&dribbled), want, "{bytes:?} byte by byte");
    }

    #[test]
    fn a_head_is_followed_to_its_end() {
        let between = (false, false, false);
        let within = (true, false, false);
        let body = (false, true, false);
        let ambiguous = (false, true, true);
        for (bytes, want) in [
            ("", between),
            ("\r\n\n", between),
            ("GET", within),
            ("GET / HTTP/1.1\r\n", within),
            ("GET / HTTP/1.1\r\nHost: a", within),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", between),
            ("GET / HTTP/1.1\nHost: a\n\n", between),
            ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a", within),
            ("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", body),
            ("GET / HTTP/1.1\r\nTRANSFER-encoding: chunked\r\n\r\n", body),
            ("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1\r\n\r\n", body),
            ("GET / HTTP/1.1\r\nX: content-length: 5\r\n\r\n", between),
            ("GET / HTTP/1.1\r\nContent-Lengthy: 5\r\n\r\n", between),
            ("content-length: 5\r\nHost: a\r\n\r\n", between),
            ("A\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ambiguous),
            ("A\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ambiguous),
            ("A\r\ncontent-length: 5\r\nX: 1\r\nContent-Length: 5\r\n\r\n", ambiguous),
            ("A\r\ncontent-length: 5\r\nContent-Length: 5\r\n", within),
        ] {
            check(bytes, want);
        }
    }

    #[test]
    fn the_last_request_line_is_measured() {
        for (bytes, want) in [
            ("", 0),
            ("GET", 3),
            ("GET / HTTP/1.1\r\nHost: a", 15),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 15),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGE", 2),
        ] {
            let mut scan = HeadScan::new();
            scan.feed(bytes.as_bytes());
            assert_eq!(scan.request_line_bytes(), want, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn the_scan_keeps_to_its_space(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let mut scan = HeadScan::new();
            scan.feed(&bytes);
            prop_assert!(scan.prefix.len() <= PREFIX_BYTES);
        }
    }
}
