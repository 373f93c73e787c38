//! Names of blob containers.
