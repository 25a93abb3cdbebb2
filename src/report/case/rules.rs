//! Every rule, and what it said or why it had nothing to say.

use super::{Row, Section, Sign, Teller, row};
use crate::ledger::{What, case_of, terms_of};
use crate::run::State;
use crate::verdict::{Check, IMPLAUSIBLE_TIME_SUMMARY, RULES, Reason};

const NOT_CONFIGURED: &str = "the partner is not in this configuration";
const OTHER_POLICY: &str = "The verdict became final under another configuration. Broken rules are shown as they were \
                            found then, the others as this configuration sees them.";

impl Teller<'_> {
    pub(super) fn rules(&self) -> Section {
        let run = self.evidence.run;
        let mut section = Section { title: "Rules", note: String::new(), rows: Vec::new() };
        let Some(terms) = terms_of(self.evidence.policy, run) else {
            section.note = NOT_CONFIGURED.into();
            let found = run.findings.values();
            section.rows = found.map(|f| self.rule(f.reason, "", Check::Passes)).collect();
            section.rows.push(row("the others", NOT_CONFIGURED));
            return section;
        };
        if self.is_of_another_policy() {
            section.note = OTHER_POLICY.into();
        }
        let clock = self.evidence.entries.last().map_or(run.start, |(_, entry)| entry.clock);
        let case = case_of(run, terms, clock);
        for rule in RULES {
            section.rows.push(self.rule(rule.reason, rule.summary, rule.ask(&case)));
        }
        let doubt =
            Check::NotApplicable("its stamp is plausible, or its file was not followed live");
        section.rows.push(self.rule(Reason::ImplausibleTime, IMPLAUSIBLE_TIME_SUMMARY, doubt));
        section
    }

    fn is_of_another_policy(&self) -> bool {
        self.evidence.entries.iter().any(|(_, entry)| {
            matches!(&entry.what, What::Sealed { digest, .. } if *digest != self.evidence.policy.digest)
        })
    }

    fn rule(&self, reason: Reason, summary: &str, check: Check) -> Row {
        let finding = self.evidence.run.findings.get(&reason);
        let (sign, why, at) = match (finding, check) {
            (Some(f), _) => {
                let sign = if f.waived { Sign::Waived } else { Sign::Broken };
                (sign, f.detail.to_string(), Some(f.at))
            }
            (None, Check::NotApplicable(why) | Check::Unknown(why)) => {
                (Sign::Silent, why.into(), None)
            }
            // Nothing is to be waited for in a run that was given up.
            (None, Check::Holds { .. }) if self.evidence.run.state == State::Lost => {
                (Sign::Kept, "until the run was given up".into(), None)
            }
            (None, Check::Holds { until }) => {
                (Sign::Holds, format!("until {}", self.time(until)), Some(until))
            }
            (None, Check::Passes | Check::Broken { .. }) => (Sign::Kept, summary.into(), None),
        };
        let told = Row { sign: Some(sign), ..row(reason.as_str(), why) };
        at.map_or(told.clone(), |at| told.at(at))
    }
}
