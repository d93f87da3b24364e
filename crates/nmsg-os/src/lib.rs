//! Platform calls of the NMSG suite; the only crate here that talks to the kernel directly.
