//! The server configuration in the format of its reader; one encoder per file.
//!
//! | encoding | its reader |
//! |---|---|
//! | [`Env`](Encoding::Env) | `eval "$(wbstore provision …)"` in any POSIX shell |
//! | [`Dotenv`](Encoding::Dotenv) | `.env` files of docker compose and of the dotenv libraries |
//! | [`Docker`](Encoding::Docker) | `docker run --env-file` |
//! | [`K8sSecret`](Encoding::K8sSecret) | `kubectl apply -f -` |
//! | [`Helm`](Encoding::Helm) | `helm upgrade --values` of W&B's operator chart |
//! | [`OperatorV2`](Encoding::OperatorV2) | `kubectl apply -f -`, with version 2 of W&B's operator |
//! | [`Login`](Encoding::Login) | the users of the server |
//! | [`Json`](Encoding::Json) | everything else |
//!
//! A value that a reader would alter is rejected.

mod configuration;
mod docker;
mod dotenv;
mod encoding;
mod env;
mod helm;
mod json;
mod kubernetes_secret;
mod login;
mod operator_v2;
pub(crate) mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use configuration::{Configuration, Entry};
pub(crate) use encoding::{Encoded, Encoding, comments, encode};
