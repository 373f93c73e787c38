//! An IAM policy that several parties write into: read, merged by role and member, written with its etag.
