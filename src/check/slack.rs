//! `SLACK_*`: nothing of it can be checked without Slack's dialog, so what is to be entered there is printed.

use super::Lines;
use crate::origin::Origin;

/// The manifest of an app with the redirect URL and the scope that W&B requires (docs.wandb.ai, "Slack alerts";
/// docs.slack.dev, "App manifest reference").
pub(super) fn advise(origin: Option<&Origin>, lines: &Lines) {
    let Some(origin) = origin else { return };
    let manifest = format!(
        "display_information:\n  name: Weights & Biases\n\
         features:\n  bot_user:\n    display_name: Weights & Biases\n    always_online: false\n\
         oauth_config:\n  redirect_urls:\n    - {origin}\n  scopes:\n    bot:\n      - incoming-webhook"
    );
    let entries = vec![format!("redirect URL: {origin}"), "bot scope: incoming-webhook".to_owned()];
    lines.advise("Slack app, to enter at https://api.slack.com/apps under OAuth & Permissions", entries);
    let lines_of_manifest = manifest.lines().map(str::to_owned).collect();
    lines.advise("Slack app manifest, to paste under “From a manifest” instead", lines_of_manifest);
}
