//! The web configuration as its author and its clients see it.

mod fixtures;
mod logins;
mod reload;
mod support;
mod tls;
