//! OpenStreetMap opening_hours on starting days.
