//! A pull subscription.
