//! offhours: judges maintenance runs against what was agreed.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod change;
pub mod event;
pub mod forecast;
pub mod format;
pub mod ledger;
pub mod policy;
pub mod run;
pub mod store;
pub mod tail;
pub mod time;
pub mod verdict;
