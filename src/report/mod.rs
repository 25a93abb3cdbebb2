//! What people and programs read of the ledger: values in, text out.

pub mod case;
pub mod csv;
pub mod ics;
pub mod may_start;
pub mod month;
pub mod plain;
pub mod run;
pub mod scorecard;
pub mod status;
pub mod style;
pub mod timeline;
pub mod windows;
