//! The laws and examples of the grammars.

mod dotenv;
mod grammars;
mod laws;
