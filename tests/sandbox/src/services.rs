//! What a W&B server uses besides a cloud: Redis, MySQL, an identity provider, its own front. Real servers where
//! they can be installed, doubles for what cannot be had or must go wrong.

pub mod authority;
pub mod mysql;
pub mod mysql_double;
pub mod oidc;
mod program;
pub mod redis;
pub mod redis_double;
pub mod settings;
pub mod tunnel;
pub mod website;
