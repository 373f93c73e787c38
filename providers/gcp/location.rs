//! Locations of Cloud Storage.
