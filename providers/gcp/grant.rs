//! One role for one member, in the IAM policy of something.
