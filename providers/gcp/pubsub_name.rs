//! Names of topics and subscriptions.
