//! The outputs on stdout, with the secret among them where the user asks for it.

use zeroize::Zeroize;

use crate::console::Console;
use crate::error::{Error, Kind, Result};
use crate::output::{Encoding, encode};
use crate::plan::Plan;
use crate::provider::Provider;
use crate::resource::Output;
use crate::secret::Destination;

/// Checks that `encoding` can represent the outputs of `plan`.
pub(crate) fn check(plan: &Plan, encoding: Encoding) -> Result<()> {
    encode(encoding, &plan.deployment, &plan.outputs, &[]).map(drop)
}

/// Prints the outputs of `plan`. The secret among them is fetched only where there is a `destination`.
pub(crate) async fn deliver(
    provider: &dyn Provider,
    plan: &Plan,
    encoding: Encoding,
    destination: Destination,
    console: &mut Console,
) -> Result<()> {
    let outputs = &plan.outputs;
    let Some(withheld) = provider.withheld() else {
        return console.data(&encode(encoding, &plan.deployment, outputs, &[])?);
    };
    let name = withheld.name;
    if matches!(destination, Destination::Withheld) {
        let remark = format!(
            "{name} is a secret: add --reveal to print it or --secret-file to write it to a file. This prints it too:\n{}",
            withheld.command
        );
        return print(encoding, plan, &remark, console);
    }
    let secret = console.busy(&format!("fetching {name}"), withheld.secret).await.map_err(|error| {
        match error.kind() {
            // The deployment is complete: only the secret is missing.
            Kind::Interrupted => {
                Error::new(Kind::Interrupted, format!("interrupted before {name} was fetched"))
                    .hint("`wbstore config` with the same arguments fetches it")
            }
            _ => error,
        }
    })?;
    if let Destination::File(file) = destination {
        let remark = format!("{name} was written to {}", file.path().display());
        file.fill(&secret)?;
        return print(encoding, plan, &remark, console);
    }
    let mut all = outputs.clone();
    all.push(Output { name, value: secret.reveal().to_owned() });
    let text = encode(encoding, &plan.deployment, &all, &[]);
    all.iter_mut().for_each(|output| output.value.zeroize());
    let mut text = text?;
    let written = console.data(&text);
    text.zeroize();
    written
}

/// Prints the outputs with `remark` as a comment, or beside them where the format has none.
fn print(encoding: Encoding, plan: &Plan, remark: &str, console: &mut Console) -> Result<()> {
    console.data(&encode(encoding, &plan.deployment, &plan.outputs, &[remark])?)?;
    if !encoding.has_comments() {
        console.note(remark);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
