//! The server configuration in the format of its reader; one encoder per file.
//!
//! | encoding | its reader |
//! |---|---|
//! | [`Env`](Encoding::Env) | `eval "$(wbstore provision …)"` in any POSIX shell |
//! | [`Dotenv`](Encoding::Dotenv) | `.env` files of docker compose and of the dotenv libraries |
//! | [`Docker`](Encoding::Docker) | `docker run --env-file` |
//! | [`K8sSecret`](Encoding::K8sSecret) | `kubectl apply -f -` |
//! | [`Helm`](Encoding::Helm) | `helm upgrade --values` of W&B's operator chart |
//! | [`Json`](Encoding::Json) | everything else |
//!
//! A value that a reader would alter is rejected.

mod docker;
mod dotenv;
mod encoding;
mod env;
mod helm;
mod json;
mod k8s;
pub(crate) mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use encoding::{Encoding, encode};
