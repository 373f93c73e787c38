//! The deployments of a project, by their marks.
