//! Ids and numbers of Google Cloud projects.
