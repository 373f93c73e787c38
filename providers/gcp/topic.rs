//! A Pub/Sub topic.
