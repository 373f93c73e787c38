//! What a W&B server uses besides a cloud: Redis, MySQL, an identity provider, its own front; and GitHub, where
//! wbstore is installed from. Real servers where
//! they can be installed, doubles for what cannot be had or must go wrong.

pub mod authority;
pub mod github;
pub mod ground;
pub(crate) mod listen;
pub mod mysql;
pub mod mysql_double;
pub mod oidc;
pub mod oidc_double;
pub(crate) mod program;
pub mod redis;
pub mod redis_double;
pub mod settings;
pub mod tunnel;
pub mod website;

use std::process::Command;

use mysql::MysqlKind;
use redis::RedisKind;

/// A server that may be installed.
#[derive(Clone, Copy, Debug)]
pub enum Service {
    Redis(RedisKind),
    Mysql(MysqlKind),
}

impl Service {
    /// Its name and version as it prints them, where it is installed.
    pub fn found(self) -> Option<String> {
        let program = match self {
            Self::Redis(kind) => kind.program(),
            Self::Mysql(kind) => kind.program(),
        }?;
        let output = Command::new(&program).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version =
            text.split([' ', '=']).find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))?;
        Some(format!("{} {version}", program.file_name()?.display()))
    }
}
