//! offhours: judges maintenance runs against what was agreed.
#![forbid(unsafe_code)]
// The documentation is for those who work here: it is built with the private items.
#![allow(rustdoc::private_intra_doc_links)]

pub mod time;
pub mod event;
pub mod calendar;
pub mod policy;
pub mod change;
pub mod verdict;
pub mod run;
pub mod forecast;
pub mod outlook;
pub mod ledger;
pub mod format;
pub mod config;
pub mod metrics;
pub mod report;
pub mod alerts;
pub mod clock;
pub mod process;
pub mod tail;
pub mod store;
pub mod client;
pub mod notify_alertmanager;
pub mod http;
pub mod app;
pub mod cli;
