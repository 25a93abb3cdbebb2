//! `offhours explain`: the whole case of one run.

mod plan;

use clap::Args;

use super::fold::Hang;
use super::table::clean;
use super::{ConfigArg, FINE, Outcome, StorageArg, failed, print_folded, usage};
use crate::app::clerk;
use crate::calendar::Zone;
use crate::clock;
use crate::config::Config;
use crate::ledger::{Entry, What, case_of};
use crate::run::Run;
use crate::store::Reader;
use crate::verdict::{Case, Check, IMPLAUSIBLE_TIME_SUMMARY, RULES, Reason, civil};

#[derive(Args)]
#[command(after_help = "Examples:
  offhours explain 17
  offhours explain hostco/AC-10-M")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    storage: StorageArg,
    /// The run: its number, its id, or PARTNER/ID.
    run: String,
}

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let reader = Reader::open(&options.storage.storage).map_err(usage)?;
    let run = clerk::find_run(&reader, &options.run).map_err(failed)?;
    let entries = reader.entries_of(run.no).map_err(failed)?;
    let revisions = match run.change() {
        None => Vec::new(),
        Some(id) => {
            let about = |e: &Entry| {
                e.partner == run.partner
                    && matches!(&e.what, What::Revised { change_id, .. } if change_id == id)
            };
            reader.entries_where(about).map_err(failed)?
        }
    };
    let text = case_file(&run, &entries, &revisions, &config);
    print_folded(Hang::UnderText, |out| out.write_all(text.as_bytes()))?;
    Ok(FINE)
}

fn case_file(
    run: &Run,
    entries: &[(u64, Entry)],
    revisions: &[(u64, Entry)],
    config: &Config,
) -> String {
    let terms = config.policy.partner(&run.partner);
    let terms = terms.map(|p| p.terms(run.service.as_deref(), &run.procedure).clone());
    let zone = terms.as_ref().map_or_else(Zone::utc, |t| t.zone.clone());
    let mut text = heading(run, &zone);
    text += "\nPlan\n";
    text += &plan::plan(run, revisions, &zone);
    text += "\nWhat happened\n";
    for (no, entry) in entries {
        text += &happened(*no, entry, &zone);
    }
    text += "\nRules\n";
    match terms {
        None => text += "  the partner is not in this configuration\n",
        Some(terms) => {
            let clock = entries.last().map_or_else(clock::now, |(_, e)| e.clock);
            text += &rules(run, &case_of(run, &terms, clock));
        }
    }
    text
}

fn heading(run: &Run, zone: &Zone) -> String {
    let provisional = if run.sealed { "" } else { " (provisional)" };
    let of = |name: &Option<std::sync::Arc<str>>| {
        name.as_deref().map_or("not named".into(), |n| clean(n).into_owned())
    };
    let end =
        run.end.map_or(run.state.to_string(), |end| format!("{} {}", run.state, civil(zone, end)));
    let mut text = format!(
        "Run {} of {} by {}: {}{provisional}\n  service    {}\n  run id     {}\n  started    {} ({})\n  state      {end}\n",
        run.no,
        clean(&run.procedure),
        clean(&run.partner),
        run.verdict(),
        of(&run.service),
        of(&run.run_id),
        civil(zone, run.start),
        run.trigger,
    );
    text += &asked(run, zone);
    if let Some(a) = &run.acknowledged {
        let (by, note) = (clean(&a.by), clean(&a.note));
        text += &format!("  acknowledged {} by {by}: {note}\n", civil(zone, a.at));
    }
    text
}

/// What was asked before it began.
fn asked(run: &Run, zone: &Zone) -> String {
    let mark = run.irregular_start.map_or(String::new(), |kind| format!(" ({kind})"));
    let Some(asked) = &run.asked else {
        return match run.irregular_start {
            Some(_) => format!("  asked      nobody{mark}\n"),
            None => String::new(),
        };
    };
    let reasons: Vec<&str> = asked.reasons.iter().map(|r| r.as_str()).collect();
    let answer = match asked.may_start {
        true => "yes".into(),
        false => format!("no, {}", reasons.join(" ")),
    };
    let said = |label: &str, text: &Option<Box<str>>| {
        text.as_deref().map_or(String::new(), |text| format!(" {label} {}", clean(text)))
    };
    let (by, from) = (said("by", &asked.by), said("from", &asked.from));
    let mut text = format!("  asked      {}{by}{from}: {answer}{mark}\n", civil(zone, asked.at));
    if let Some(over) = &asked.overriding {
        text += &format!("  overridden by {}: {}\n", clean(&over.by), clean(&over.reason));
    }
    text
}

fn at_place(place: Option<&crate::run::Place>) -> String {
    place.map_or(String::new(), |p| format!(" ({} byte {})", clean(&p.path), p.offset))
}

fn happened(no: u64, entry: &Entry, zone: &Zone) -> String {
    let place = at_place(entry.what.place());
    let what = match &entry.what {
        What::Started { run, verdict } => {
            format!("started {}: {verdict}", civil(zone, run.start))
        }
        What::Phase { phase, .. } => {
            let name = phase.name.as_deref().unwrap_or_default();
            format!("{} {} {}", phase.kind, clean(name), civil(zone, phase.at))
        }
        What::Ended { state, at, outcome, .. } => {
            let outcome = outcome.as_deref().unwrap_or_default();
            format!("{state} {} {}", civil(zone, *at), clean(outcome))
        }
        What::Lost { .. } => "given up".into(),
        What::Verified { at, .. } => format!("verified {}", civil(zone, *at)),
        What::Approved { at, by, .. } => {
            let by = by.as_ref().map(|b| format!(" by {}", clean(b))).unwrap_or_default();
            format!("approved {}{by}", civil(zone, *at))
        }
        What::Found { finding, .. } => {
            format!("found {} since {}", finding.reason, civil(zone, finding.at))
        }
        What::Refuted { reason, .. } => format!("refuted {reason}"),
        What::Sealed { verdict, .. } => format!("final verdict: {verdict}"),
        What::Amended { note, .. } => format!("amended: {}", clean(note)),
        What::Acknowledged { acknowledgement, .. } => {
            format!("acknowledged by {}", clean(&acknowledgement.by))
        }
        What::Revised { .. } | What::Irregular { .. } | What::Asked(_) | What::TimeShown { .. } => {
            entry.what.name().into()
        }
    };
    format!("  {no:>6}  {}{place}\n", what.trim_end())
}

/// Every rule and what it said. Reasons on record are told as they were found; the others as the present
/// configuration sees them.
fn rules(run: &Run, case: &Case) -> String {
    let mut text = String::new();
    for rule in RULES {
        text += &rule_line(run, rule.reason, rule.summary, (rule.check)(case));
    }
    let doubt = Check::NotApplicable("read in time, or not live");
    text + &rule_line(run, Reason::ImplausibleTime, IMPLAUSIBLE_TIME_SUMMARY, doubt)
}

fn rule_line(run: &Run, reason: Reason, summary: &str, check: Check) -> String {
    let (sign, why) = match (run.findings.get(&reason), check) {
        (Some(f), _) if f.waived => ("waived", f.detail.to_string()),
        (Some(f), _) => ("BROKEN", f.detail.to_string()),
        (None, Check::NotApplicable(why) | Check::Unknown(why)) => ("silent", why.into()),
        (None, Check::Holds { until }) => ("holds", format!("until {until}")),
        (None, Check::Passes | Check::Broken { .. }) => ("kept", summary.into()),
    };
    format!("  {sign:<7} {reason:<24} {}\n", clean(&why))
}
