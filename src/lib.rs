//! offhours: judges maintenance runs against what was agreed.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod event;
pub mod format;
pub mod policy;
pub mod time;
