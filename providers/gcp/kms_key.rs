//! Names of Cloud KMS keys.
