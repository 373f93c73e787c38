//! `HOST`: the address of the server as browsers see it.

use super::malformed::{Flaw, Grammar, Warning};
use crate::origin::Origin;

/// The address, without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct HostUrl {
    pub origin: Origin,
    ends_in_slash: bool,
}

impl Grammar for HostUrl {
    fn read(text: &str) -> Result<Self, Flaw> {
        let origin: Origin = text.parse().map_err(|error: crate::error::Error| {
            let advice =
                error.what_next().unwrap_or("use a form such as `https://wandb.acme.com`").to_owned();
            let at = text.find(['@', '?', '#']).unwrap_or_default();
            Flaw::new(at, error.chain(), advice)
        })?;
        Ok(Self { origin, ends_in_slash: text.ends_with('/') })
    }

    fn masked(&self) -> String {
        self.origin.to_string()
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = vec![];
        if self.ends_in_slash {
            // The callback that the provider knows has one slash before its path.
            warnings.push(Warning::new(
                "it ends in a slash, which W&B does not remove",
                format!("use `{}`", self.origin),
            ));
        }
        if self.origin.require_secure(false).is_err() {
            let secure = self.origin.as_str().replacen("http://", "https://", 1);
            warnings.push(Warning::new(
                "no https: passwords and session cookies cross the network in clear",
                format!("terminate TLS in front of the server, and use `{secure}`"),
            ));
        }
        warnings
    }
}
