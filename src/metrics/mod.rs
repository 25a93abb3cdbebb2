//! From what is on record to what Prometheus reads: the catalog of metrics, and the page made anew at each
//! scrape.
//!
//! [`project()`] is a plain function of the ledger, the policy and the time. Nothing is kept between scrapes,
//! so that no stale series and no forgotten gauge can exist.

mod agreement;
mod calendars;
pub mod catalog;
mod changes;
mod own;
mod page;
mod project;
mod rows;
mod runs;
mod sources;
#[cfg(test)]
pub(crate) mod testing;
mod view;

pub use project::project;
pub use view::{CalendarView, Known, OwnView, ProcessView, SourceView, View, WebView};

/// The Content-Type of the answer (text format 0.0.4). Prometheus 3 refuses an answer without one.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

#[cfg(test)]
mod tests;
