//! Azure Resource Manager: one pinned host, tokens, long-running operations.
