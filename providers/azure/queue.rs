//! A storage queue.
