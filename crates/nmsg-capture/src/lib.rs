//! Packets to NMSG messages.
