//! Reads the variables from the environment. Only those that W&B documents: all others belong to other programs.

use std::env;

use super::{ServerSettings, Setting, SettingOrigin, Variable};
use crate::error::{Error, Result};
use crate::secret::Secret;

pub(super) fn read() -> Result<ServerSettings> {
    let mut list = vec![];
    for &variable in Variable::ALL {
        let name = variable.name();
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { continue };
        // Not repeated: it may be a secret.
        let value = value.into_string().map_err(|_| Error::input(format!("{name} is not UTF-8")))?;
        list.push(Setting {
            name: name.to_owned(),
            variable: Some(variable),
            value: Secret::new(value),
            origin: SettingOrigin::Environment,
        });
    }
    Ok(ServerSettings { list })
}
