//! Credentials and endpoints: everything that is settled before the first resource is read.
