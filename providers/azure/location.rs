//! Azure regions.
