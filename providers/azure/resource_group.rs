//! Names of resource groups.
