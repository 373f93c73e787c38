//! The front door: the built `wbstore` against the double of Google Cloud.

mod clients;
