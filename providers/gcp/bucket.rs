//! A Cloud Storage bucket.
