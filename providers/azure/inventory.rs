//! The deployments of a subscription, by their marks.
