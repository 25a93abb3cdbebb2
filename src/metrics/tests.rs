//! A scrape as Prometheus reads it.

mod calendars;
mod changes;
mod page;
mod runs;
mod sources;
