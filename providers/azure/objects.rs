//! What a container holds.
