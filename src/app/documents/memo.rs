//! What is remembered with a document: how it was read, and which of its records were refused.

use sha2::{Digest, Sha256};

use super::{REFUSED_KEPT, Refused};
use crate::format::Spec;
use crate::tail::Mark;

/// In place of a way of reading: it was not understood, so that whoever starts anew, perhaps with a better
/// configuration, tries again.
pub(super) const UNREAD: &str = "unread";

/// A source's way of reading in one word. It is no hexadecimal number, as refused records are.
///
/// Whoever changes it wants documents to be read again that are as they were: what was refused may be understood now.
pub(super) fn way(spec: &Spec) -> String {
    fn sorted<T: std::fmt::Debug>(items: impl IntoIterator<Item = T>) -> Vec<String> {
        let mut items: Vec<String> = items.into_iter().map(|item| format!("{item:?}")).collect();
        items.sort_unstable();
        items
    }
    let values = spec.values.iter().map(|(field, words)| (field, sorted(words)));
    let said = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        spec.format,
        spec.time_format,
        spec.zone.name(),
        spec.matching,
        spec.document,
        sorted(&spec.fields),
        sorted(values),
        sorted(&spec.defaults),
        spec.value_patterns,
        spec.named,
    );
    let partners = spec.partners.as_ref().map_or(String::new(), |partners| {
        let zones = partners.each.iter().map(|own| own.zone.name()).collect::<Vec<_>>();
        let words = sorted(&partners.words);
        format!(" {} {words:?} {:?} {zones:?}", partners.key, partners.patterns)
    });
    format!("way:{:x}", first((said + &partners).as_bytes()))
}

pub(super) fn write(way: &str, refused: &[Refused]) -> String {
    let refused = refused.iter().take(REFUSED_KEPT).map(|refused| format!(" {refused:x}"));
    way.to_owned() + &refused.collect::<String>()
}

/// The refused records of a document.
pub(super) fn refused(mark: &Mark) -> impl Iterator<Item = Refused> {
    mark.memo.split(' ').filter_map(|word| u64::from_str_radix(word, 16).ok())
}

/// Whether a document was read like this.
pub(super) fn is_read(mark: &Mark, way: &str) -> bool {
    mark.memo.split(' ').next() == Some(way)
}

/// The first bytes of the digest.
pub(super) fn first(bytes: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Zone;
    use crate::format::{Field, Format};

    #[test]
    fn a_way_of_reading_is_known_again_until_something_of_it_changes() {
        let spec = |id: &str, words: &[(&str, &str)]| {
            let mut spec = Spec::new(Format::Csv { delimiter: b',' }, Zone::utc());
            spec.fields.insert(Field::ChangeId, id.to_owned());
            spec.fields.insert(Field::Time, "when".to_owned());
            let words = words.iter().map(|(theirs, ours)| ((*theirs).into(), (*ours).into()));
            spec.values.insert(Field::Service, words.collect());
            spec
        };
        let words = [("a", "1"), ("b", "2"), ("c", "3")];
        let first = way(&spec("number", &words));
        for _ in 0..10 {
            assert_eq!(way(&spec("number", &words)), first);
        }
        assert_ne!(way(&spec("id", &words)), first);
        assert_ne!(way(&spec("number", &words[..2])), first);
    }
}
