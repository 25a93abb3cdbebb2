//! The reasons that were found for one run.

use crate::verdict::{Finding, Reason};

/// Findings of one run, each reason once, in the order of [`Reason`]. There are few of them, and a run is
/// copied more often than it is searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was found, in the order of [`Reason`].
    pub fn values(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// The reasons that were found, in their order.
    pub fn keys(&self) -> impl Iterator<Item = Reason> + '_ {
        self.0.iter().map(|finding| finding.reason)
    }

    /// What was found for a reason.
    pub fn get(&self, reason: &Reason) -> Option<&Finding> {
        self.0.iter().find(|finding| finding.reason == *reason)
    }

    /// Whether this reason was found.
    pub fn contains_key(&self, reason: &Reason) -> bool {
        self.get(reason).is_some()
    }

    /// Puts a finding in the place of an earlier one of the same reason.
    pub fn insert(&mut self, finding: Finding) {
        match self.0.binary_search_by_key(&finding.reason, |known| known.reason) {
            Ok(place) => {
                self.0.splice(place..=place, [finding]);
            }
            Err(place) => self.0.insert(place, finding),
        }
    }

    /// The reason was refuted.
    pub fn remove(&mut self, reason: &Reason) {
        self.0.retain(|finding| finding.reason != *reason);
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(found: I) -> Findings {
        let mut findings = Findings::default();
        found.into_iter().for_each(|finding| findings.insert(finding));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_stands_once_and_in_order() {
        let finding = |reason, detail: &str| Finding {
            reason,
            at: Default::default(),
            waived: false,
            detail: detail.into(),
        };
        let mut findings: Findings =
            [finding(Reason::TooLong, "1"), finding(Reason::InFreeze, "2")].into_iter().collect();
        findings.insert(finding(Reason::TooLong, "3"));
        findings.insert(finding(Reason::Lost, "4"));
        let details: Vec<&str> = findings.values().map(|f| &*f.detail).collect();
        assert_eq!(details, ["2", "4", "3"]);
        findings.remove(&Reason::Lost);
        assert!(findings.keys().eq([Reason::InFreeze, Reason::TooLong]));
        assert!(!findings.contains_key(&Reason::Lost) && !findings.is_empty());
    }
}
