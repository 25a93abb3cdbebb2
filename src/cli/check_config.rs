//! `offhours check-config`: what was understood.

mod doubts;
mod samples;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::fold::Hang;
use super::table::clean;
use super::{ConfigArg, FINE, FOUND, Outcome, print_folded, usage};
use crate::app::policy_tests;
use crate::clock;
use crate::config::{self, Alertmanager};
use crate::http::Web;
use crate::policy::{Freeze, LOOK_AHEAD, Partner, Policy, Procedure, Terms};
use crate::time::{Instant, Span, format_duration};
use crate::verdict::{Reason, Verdict, civil};
use chrono::TimeDelta;

#[derive(Args)]
#[command(after_help = "Examples:
  offhours check-config
  offhours check-config --config.file /etc/offhours/offhours.yml && systemctl reload offhours
  offhours check-config --tests policy-tests.yml

Exit codes: 0 valid, 1 a case of --tests failed, 2 not valid (file:line:column says where).")]
pub struct Options {
    #[command(flatten)]
    config: ConfigArg,
    /// Check this web configuration as well.
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
    /// Judge the cases in this file instead of printing what was understood.
    #[arg(long, value_name = "FILE")]
    tests: Option<PathBuf>,
}

/// Windows shown of each procedure.
const WINDOWS_SHOWN: usize = 3;

pub fn run(options: &Options) -> Outcome {
    let config = options.config.load().map_err(usage)?;
    let web = Web::open(options.web_config_file.as_deref()).map_err(usage)?;
    for warning in config.warnings.iter().chain(&web.warnings()) {
        super::say(format_args!("warning: {warning}"));
    }
    let now = clock::now();
    if let Some(path) = &options.tests {
        return run_tests(&config.policy, path, now);
    }
    for doubt in doubts::doubts(&config, now) {
        super::say(format_args!("warning: {doubt}"));
    }
    let mut text = String::new();
    for service in &config.policy.services {
        text += &format!("service {} ({})\n", clean(&service.name), service.zone.name());
        let hours = service.business_hours.as_ref();
        let hours = hours.map_or("none known".into(), |h| h.describe());
        text += &format!("  business hours   {hours}\n");
        text += &freezes(&service.freezes);
    }
    for partner in &config.policy.partners {
        text += &format!("partner {} ({})\n", clean(&partner.name), partner.zone.name());
        text += &freezes(&partner.freezes);
        for procedure in &partner.procedures {
            if is_always_open(procedure, now) {
                let (partner, procedure) = (clean(&partner.name), clean(&procedure.name));
                super::say(format_args!(
                    "warning: the windows of {partner}/{procedure} are always open: is that agreed? then anytime: true says so"
                ));
            }
            text += &procedure_text(partner, procedure, now);
        }
    }
    for source in &config.sources {
        let key = source.spec.partners.as_ref().map(|partners| &partners.key);
        let by = key.map_or(String::new(), |key| format!(", told apart by {}", clean(key)));
        let partners = source.partners.join(", ");
        text += &format!("source {} (of {}{by})\n", clean(&source.name), clean(&partners));
        for pattern in &source.patterns {
            text += &format!("  follows          {}\n", clean(pattern));
        }
    }
    text += &alertmanagers(&config.paging.alertmanagers);
    print_folded(Hang::UnderText, |out| out.write_all(text.as_bytes()))?;
    Ok(FINE)
}

fn run_tests(policy: &Policy, path: &Path, now: Instant) -> Outcome {
    let cases = config::load_cases(path, policy, now).map_err(usage)?;
    let (mut text, mut failed) = (String::new(), 0);
    for case in &cases {
        let name = clean(&case.name);
        let got = policy_tests::judge(policy, case);
        if got.as_ref().is_some_and(|got| got.is_as_expected(case)) {
            text += &format!("ok      {name}\n");
            continue;
        }
        failed += 1;
        text +=
            &format!("FAILED  {name}\n        {}:{}\n", clean(&path.to_string_lossy()), case.line);
        let expected = told(case.verdict, case.reasons.as_ref());
        text += &format!("        expected  {expected}\n");
        let got = got.map_or("nothing: the plan of its change cannot be taken".into(), |got| {
            told(got.verdict, Some(&got.reasons))
        });
        text += &format!("        got       {got}\n");
    }
    text += &format!("{} cases, {failed} failed\n", cases.len());
    print_folded(Hang::UnderText, |out| out.write_all(text.as_bytes()))?;
    Ok(if failed == 0 { FINE } else { FOUND })
}

fn told(verdict: Verdict, reasons: Option<&BTreeSet<Reason>>) -> String {
    let names = |reasons: &BTreeSet<Reason>| {
        reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ")
    };
    match reasons {
        None => verdict.to_string(),
        Some(none) if none.is_empty() => format!("{verdict}, no reason"),
        Some(reasons) => format!("{verdict}: {}", names(reasons)),
    }
}

fn alertmanagers(all: &[Alertmanager]) -> String {
    let line = |a: &Alertmanager| {
        let who =
            a.peer.basic_auth.as_ref().map_or("without a password".into(), |auth| {
                format!("as {}", clean(&auth.username))
            });
        let resend = format_duration(TimeDelta::from_std(a.resend).unwrap_or_default());
        let url = a.peer.url.to_string();
        format!("alertmanager {}\n  posts            {who}, again after {resend}\n", clean(&url))
    };
    all.iter().map(line).collect()
}

fn freezes(freezes: &[Freeze]) -> String {
    let line = |f: &Freeze| {
        let what = f.calendar.describe();
        // A freeze without a name of its own is called by what it is, or by its file.
        match what.strip_prefix(&*f.name) {
            Some(_) => format!("  freeze           {what}\n"),
            None => format!("  freeze           {}: {what}\n", f.name),
        }
    };
    freezes.iter().map(line).collect()
}

fn procedure_text(partner: &Partner, procedure: &Procedure, now: Instant) -> String {
    let services: Vec<&str> = procedure.services.iter().map(|s| &**s).collect();
    let mut text =
        format!("  procedure {} for {}\n", clean(&procedure.name), clean(&services.join(", ")));
    let Some(terms) = procedure.terms.get(&None) else { return text };
    for line in agreed(terms) {
        text += &format!("    {line}\n");
    }
    match &terms.windows {
        None => text += "    any time\n",
        Some(windows) => text += &format!("    windows          {}\n", windows.describe()),
    }
    text + &openings(partner, procedure, now)
}

/// The next times at which a run may really start, for each service that has its own.
fn openings(partner: &Partner, procedure: &Procedure, now: Instant) -> String {
    let mut found: Vec<(Vec<&str>, Vec<Span>)> = Vec::new();
    let mut is_bound = false;
    for service in procedure.services.iter().map(Some).chain([None]) {
        // Without a service there is only what holds for all.
        if service.is_none() && !procedure.services.is_empty() {
            continue;
        }
        let Some(terms) = procedure.terms.get(&service.cloned()) else { continue };
        is_bound |= terms.windows.is_some() || terms.closed().next().is_some();
        let (name, next) = (service.map_or("", |name| &**name), next(terms, now));
        match found.iter_mut().find(|(_, spans)| *spans == next) {
            Some((names, _)) => names.push(name),
            None => found.push((vec![name], next)),
        }
    }
    if !is_bound {
        return String::new();
    }
    let (mut text, all) = (String::new(), found.len());
    for (names, spans) in found {
        let on = match all {
            1 => String::new(),
            _ => format!(" on {}", clean(&names.join(", "))),
        };
        if spans.is_empty() {
            text += &format!("    next windows     none within a year in which it may start{on}\n");
        }
        let is_always = |span: &Span| now + LOOK_AHEAD <= span.end && span.start <= now;
        for (i, span) in spans.iter().enumerate() {
            let label = if i == 0 { "next windows" } else { "" };
            let (from, to) = (civil(&partner.zone, span.start), civil(&partner.zone, span.end));
            let line = match is_always(span) {
                true => "always open".into(),
                false => format!("{from} to {to}"),
            };
            text += &format!("    {label:<17}{line}{on}\n");
        }
    }
    text
}

/// An approval for everything is more often a mistake than an agreement.
fn is_always_open(procedure: &Procedure, now: Instant) -> bool {
    let windows = procedure.terms.get(&None).and_then(|terms| terms.windows.as_ref());
    let ahead = Span::new(now, now + LOOK_AHEAD);
    ahead.zip(windows).is_some_and(|(ahead, windows)| LOOK_AHEAD <= windows.time_within(ahead))
}

fn next(terms: &Terms, now: Instant) -> Vec<Span> {
    let (mut found, mut at) = (Vec::new(), now);
    while found.len() < WINDOWS_SHOWN && at < now + LOOK_AHEAD {
        let Some(opening) = terms.next_opening(at, None) else { break };
        at = opening.end;
        found.push(opening);
    }
    found
}

/// Everything else that was agreed, a line each.
fn agreed(t: &Terms) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |label: &str, text: String| lines.push(format!("{label:<17}{text}"));
    if !t.triggers.is_empty() {
        let names: Vec<&str> = t.triggers.iter().map(|t| t.as_str()).collect();
        add("started by", names.join(" or "));
    }
    let c = &t.confirmation;
    add(
        "confirmation",
        match (c.required, c.notice) {
            (false, _) => "not required".into(),
            (true, None) => "required".into(),
            (true, Some(notice)) => format!("required, {} ahead", format_duration(notice)),
        },
    );
    // A plan counts also where nobody has to make one.
    let (early, late) = (format_duration(c.early), format_duration(c.late));
    add("with a plan", format!("begins from {early} before to {late} after the planned start"));
    let emergencies = match (t.emergencies.allowed, t.emergencies.approve_within) {
        (false, _) => "waive nothing".into(),
        (true, None) => "waive rules, no approval asked".into(),
        (true, Some(d)) => format!("waive rules, approval needed within {}", format_duration(d)),
    };
    add("emergencies", emergencies);
    if t.ask_first {
        add("before a start", "ask whether it may".into());
    }
    if t.business_hours_allowed {
        add("business hours", "allowed".into());
    }
    for (label, duration) in [
        ("expected", t.expected_duration),
        ("at most", t.max_duration),
        ("verified within", t.verify_within),
        ("past its plan", Some(t.overrun_tolerance).filter(|t| !t.is_zero())),
        ("given up after", Some(t.lost_after)),
    ] {
        if let Some(d) = duration {
            add(label, format_duration(d));
        }
    }
    let pages = format_duration(t.acknowledge_after);
    lines.push(format!("{:<17}it is acknowledged, or until {pages} past the end", "pages until"));
    lines
}
