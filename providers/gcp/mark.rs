//! The mark: labels that say which deployment a bucket, topic or subscription belongs to.
