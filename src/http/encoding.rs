//! Which content coding a client takes (RFC 9110, section 12.5.3), and gzip itself.

use flate2::{Compression, write::GzEncoder};
use hyper::header::{ACCEPT_ENCODING, HeaderMap};
use std::io::Write;

/// Exposition text shrinks to a fifteenth at the fastest level; more effort buys little.
const GZIP_LEVEL: u32 = 1;

/// Whether the request asks for gzip and does not prefer the plain form.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let mut gzip = None;
    let mut any = None;
    let mut identity = None;
    for value in headers.get_all(ACCEPT_ENCODING) {
        // A field that is not text says nothing that we could follow.
        for item in value.to_str().unwrap_or_default().split(',') {
            let (coding, weight) = read_item(item);
            match coding.as_str() {
                "gzip" | "x-gzip" => gzip = weight,
                "*" => any = weight,
                "identity" => identity = weight,
                _ => {}
            }
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    0 < gzip && identity.unwrap_or(0) <= gzip
}

/// The text as a gzip stream.
///
/// # Errors
/// Never in practice: it is written to memory.
pub(super) fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// One `coding;q=0.5`: the coding in lower case and its weight in thousandths; a weight that cannot
/// be read is none at all.
fn read_item(item: &str) -> (String, Option<u16>) {
    let mut parts = item.split(';').map(str::trim);
    let coding = parts.next().unwrap_or_default().to_ascii_lowercase();
    let mut weight = Some(1000);
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("q")
        {
            weight = read_weight(value.trim());
        }
    }
    (coding, weight)
}

/// `0` to `1` with at most three digits behind the point, in thousandths.
fn read_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_form = matches!(whole, "0" | "1")
        && fraction.len() <= 3
        && fraction.bytes().all(|b| b.is_ascii_digit());
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    let weight = if whole == "1" { 1000 + thousandths } else { thousandths };
    (is_form && weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;
    use std::io::Read;

    fn check(fields: &[&str], want: bool) {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
        }
        assert_eq!(wants_gzip(&headers), want, "{fields:?}");
    }

    #[test]
    fn gzip_is_chosen_only_where_it_is_asked_for() {
        for (fields, want) in [
            (&[][..], false),
            (&["gzip"], true),
            (&["GZip"], true),
            (&["x-gzip"], true),
            (&["deflate, gzip;q=0.5"], true),
            (&["deflate", "gzip"], true),
            (&["gzip;q=0"], false),
            (&["gzip;q=0.000"], false),
            (&["gzip ; Q = 0"], false),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["gzip;q=0, *"], false),
            (&["*;q=0, gzip"], true),
            (&["identity"], false),
            (&["identity, gzip"], true),
            (&["identity, gzip;q=0.9"], false),
            (&["identity;q=0.5, gzip"], true),
            (&["gzip;q=2"], false),
            (&["gzip;q=1.001"], false),
            (&["gzip;q=1.000"], true),
            (&["gzip;q=0.0001"], false),
            (&["gzip;q=x"], false),
            (&["gzip;q=+.5"], false),
            (&["gzipped"], false),
            (&[",,;q=1,;"], false),
        ] {
            check(fields, want);
        }
    }

    #[test]
    fn a_gzipped_text_is_the_text() {
        let text = "# TYPE a counter\na 1\n".repeat(100);
        let packed = gzip(&text).unwrap();
        let mut back = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);
        assert!(packed.len() * 10 < text.len());
    }

    proptest! {
        #[test]
        fn any_field_is_survived(field in "[ -~]{0,60}") {
            let mut headers = HeaderMap::new();
            headers.append(ACCEPT_ENCODING, HeaderValue::from_str(&field).unwrap());
            let _ = wants_gzip(&headers);
        }
    }
}
