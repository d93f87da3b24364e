//! The NMSG container format, its message types, presentation and JSON both ways.
