//! Names of Cloud Storage buckets.
