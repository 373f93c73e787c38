//! The server's settings: how they are read, and what `config` makes of them. No request is sent.

mod config;
mod rendered;
mod support;
