//! Names of storage accounts.
