//! What people and programs read of the ledger: values in, text out.

pub mod case;
pub mod csv;
pub mod ics;
pub mod landing;
pub mod may_start;
pub mod month;
pub mod plain;
pub mod run;
pub mod scorecard;
pub mod windows;
