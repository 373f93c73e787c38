//! How the `wandb` client of a user finds the server.
//!
//! The client checks an address before it uses it (`validate_base_url` in `wandb/sdk/wandb_settings.py`), and
//! so does this.

use super::configuration::Configuration;
use super::encoding::Encoding;
use crate::error::{Error, Result};
use crate::origin::Origin;

pub(super) fn encode(configuration: &Configuration) -> Result<String> {
    let host: Origin = configuration.address(Encoding::Login)?.parse()?;
    let name = host.as_str().split("://").last().unwrap_or_default();
    let is_app = (name == "wandb.ai" || name.ends_with(".wandb.ai")) && !name.contains("api.");
    if is_app {
        return Err(Error::input(format!(
            "the client refuses {host}: it is the web page of W&B's own cloud"
        ))
        .hint("set HOST to the address of your server, or use `https://api.wandb.ai`"));
    }
    // A host name, a port and a scheme have no character that a shell or Python gives a meaning.
    Ok(format!(
        "\
# In a shell
wandb login --host={host}

# In Python
wandb.login(host=\"{host}\")

# In the environment of a job; {host}/authorize shows the key
export WANDB_BASE_URL={host}
export WANDB_API_KEY=<API-KEY>
"
    ))
}
