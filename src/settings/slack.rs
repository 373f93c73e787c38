//! `SLACK_CLIENT_ID` and `SLACK_SECRET`, as Slack's page "Basic Information" shows them.

use super::malformed::{Flaw, Grammar};

/// Two numbers and a dot between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlackClientId(String);

/// Thirty-two hexadecimal digits, which are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlackSecretForm;

const WHERE: &str = "copy it from the app's page “Basic Information” at https://api.slack.com/apps";

impl Grammar for SlackClientId {
    fn read(text: &str) -> Result<Self, Flaw> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('.') {
            Some((team, app)) if digits(team) && digits(app) => Ok(Self(text.to_owned())),
            _ => {
                let at =
                    text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
                Err(Flaw::new(at, "not a client ID: it is two numbers with a dot between them", WHERE))
            }
        }
    }

    fn masked(&self) -> String {
        self.0.clone()
    }
}

impl Grammar for SlackSecretForm {
    fn read(text: &str) -> Result<Self, Flaw> {
        let other = text.find(|letter: char| !letter.is_ascii_hexdigit());
        match other {
            None if text.len() == 32 => Ok(Self),
            other => Err(Flaw::new(
                other.unwrap_or(text.len().min(32)),
                "not a client secret: it is 32 hexadecimal digits",
                WHERE,
            )),
        }
    }

    fn masked(&self) -> String {
        "***".to_owned()
    }
}
