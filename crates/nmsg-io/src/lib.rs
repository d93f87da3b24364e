//! Sources, sinks and the engine between them.
