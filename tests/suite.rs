//! All integration tests, one binary: each module says in a sentence what it holds.

/// What the modules share: the program as a child process, its answers, temporary folders.
mod support;

/// Whole logs with the verdicts they must get, and what no verdict may ever be.
mod stories;

/// The repository checks itself: order of the modules, purity of the core, size, habits.
mod tidy;

/// Presets: the page about them, what they stand for, and lines that belong together.
mod presets;

/// Every command from outside: help, exit codes, output that is not read to its end.
mod commands;

/// The running exporter: series at zero, agreement with a replay, a stop on request.
mod metrics_page;

/// Through kill -9 at any moment: each event exactly once, and the same page as without.
mod durability;

/// A ledger that cannot be used, or cannot be written for a while.
mod outage;

/// What stands still: every sign tells it, and a stop ends it all the same.
mod standing;

/// The ledger, live: pairing, findings at their instants, refutation, remembering.
mod judging;

/// What is told again adds nothing, and every start is judged.
mod telling;

/// The hour that comes twice: what is told again keeps the reading that it had.
mod twice;

/// What partners write, by every road: test-line, replay, followed logs, exports.
mod inputs;

/// Following files: rotation by the real program, and what a machine may do.
mod following;

/// What check-config warns of.
mod doubts;
/// The next days: windows, freezes, business hours and changes.
mod windows;
/// Documents beside the log, live: read once for each content, and exactly once through kill -9.
mod documents;
/// Our own change system, exported every hour.
mod exporting;
/// However entries are committed, what is remembered is what was lived.
mod remembering;

/// Alert rules: words, runbooks, cases, and nothing that the catalog does not have.
mod alerts;
/// The fast road: from a line to the page, through a real Alertmanager.
mod paging;

/// Both roads from a line to a page, with a real Prometheus and a real Alertmanager, and how long each takes.
mod roads;

/// Approvals: what they do, and what is refused.
mod approving;

/// Whether a run may start: what is answered is what the judge then says, and it is on record.
mod asking;

/// Asking before a run, from outside: `may-start` and `guard` against a running offhours.
mod guarding;

/// Backtests: which past runs another policy would judge otherwise.
mod backtest;

/// Cases of a policy: judged as a log is, told with what was expected.
mod policy_tests;

/// `offhours verify`: the first bad record is named, whatever was done to the ledger.
mod verifying;

/// `offhours explain`: a whole case, in words and in Markdown, with the lines as the log has them.
mod explaining;

/// The page at `/`: what it says of a moment, hostile text, and pictures of it.
mod status;

/// `offhours report`: months and incidents in every format, and figures that are the sums of the metrics.
mod reporting;

/// The pages that a newcomer writes a configuration from: nothing is missing, and what they show is so.
mod reference;
