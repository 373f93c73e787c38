//! The key that the W&B server gets. It is not the operator's.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Larger files have no key pair.
const LARGEST: u64 = 64 << 10;

const FORM: &str = "write two lines, `AWS_ACCESS_KEY_ID=…` and `AWS_SECRET_ACCESS_KEY=…`, as in an .env file or a profile \
                    of ~/.aws/credentials";

/// An access key.
#[derive(Debug)]
pub(crate) struct ServerKey {
    pub id: String,
    pub secret: Secret,
}

impl ServerKey {
    /// Reads the file of `--server-credentials`: lines of an `.env` file, or one profile of AWS's credentials file.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), which repeats nothing of the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let refuse = |why: &str| Error::input(format!("--server-credentials {}: {why}", path.display()));
        let size = fs::metadata(path)
            .map_err(|error| refuse("cannot read the file").because(error).hint(FORM))?
            .len();
        if size > LARGEST {
            return Err(refuse("the file is too large for a key").hint(FORM));
        }
        let text = fs::read_to_string(path)
            .map_err(|error| refuse("cannot read the file").because(error).hint(FORM))?;
        Self::parse(&Zeroizing::new(text)).map_err(|why| refuse(why).hint(FORM))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut id, mut secret) = (None, None);
        for line in text.lines().map(str::trim) {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else { continue };
            let value = value.trim();
            let quoted =
                ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            let value = quoted.unwrap_or(value);
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "aws_access_key_id" => &mut id,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" if !value.is_empty() => {
                    return Err("it has a session token, which expires and which BUCKET cannot hold");
                }
                _ => continue,
            };
            if slot.replace(Zeroizing::new(value.to_owned())).is_some() {
                return Err("it has more than one key");
            }
        }
        let filled = |found: Option<Zeroizing<String>>| found.filter(|text| !text.is_empty());
        match (filled(id), filled(secret)) {
            (Some(id), _) if !id.chars().all(|letter| letter.is_ascii_graphic()) => {
                Err("AWS_ACCESS_KEY_ID is no access key")
            }
            (_, Some(secret)) if secret.chars().any(char::is_control) => {
                Err("AWS_SECRET_ACCESS_KEY is no secret key")
            }
            (Some(id), Some(secret)) => {
                Ok(Self { id: id.to_string(), secret: Secret::new(secret.to_string()) })
            }
            (None, _) => Err("AWS_ACCESS_KEY_ID is missing"),
            (_, None) => Err("AWS_SECRET_ACCESS_KEY is missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_usual_forms_are_read() {
        for text in [
            "AWS_ACCESS_KEY_ID=wandb\nAWS_SECRET_ACCESS_KEY=a/b+c=\n",
            "# the server's\nexport AWS_ACCESS_KEY_ID=\"wandb\"\nexport AWS_SECRET_ACCESS_KEY='a/b+c='",
            "[wandb]\r\naws_access_key_id = wandb\r\naws_secret_access_key = a/b+c=\r\nregion = x\r\n",
        ] {
            let key = ServerKey::parse(text).unwrap();
            assert_eq!((key.id.as_str(), key.secret.reveal()), ("wandb", "a/b+c="));
        }
    }

    #[test]
    fn what_is_no_key_pair_is_rejected() {
        for (text, why) in [
            ("", "AWS_ACCESS_KEY_ID is missing"),
            ("AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY is missing"),
            ("AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=\n", "AWS_SECRET_ACCESS_KEY is missing"),
            ("AWS_ACCESS_KEY_ID=a b\nAWS_SECRET_ACCESS_KEY=c", "is no access key"),
            ("AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=c\nAWS_SESSION_TOKEN=d", "session token"),
            ("[a]\naws_access_key_id=a\naws_secret_access_key=b\n[b]\naws_access_key_id=c", "more than one"),
        ] {
            assert!(ServerKey::parse(text).unwrap_err().contains(why), "{text}");
        }
    }
}
