//! The proof that an upload works and produces an event.
