//! Addresses of service accounts.
