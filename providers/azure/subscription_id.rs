//! Ids of Azure subscriptions.
