//! What people and programs read of the ledger: values in, text out.

pub mod landing;
pub mod run;
