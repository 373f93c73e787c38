//! The server configuration on stdout, with the secrets among it where the user asks for them.

use zeroize::Zeroizing;

use crate::console::Console;
use crate::error::{Error, Kind, Result};
use crate::output::{Configuration, Encoded, Encoding, Entry, comments, encode};
use crate::plan::Plan;
use crate::provider::Provider;
use crate::secret::{Destination, NewFile, Secret, Withheld};

/// Checks that `encoding` can represent the outputs of `plan`.
pub(crate) fn check(plan: &Plan, encoding: Encoding) -> Result<()> {
    let configuration = Configuration::of_storage(&plan.deployment, &plan.outputs);
    encode(encoding, &configuration, &all(&configuration)).map(drop)
}

fn all(configuration: &Configuration) -> Vec<&Entry> {
    configuration.entries.iter().collect()
}

/// Prints the outputs of `plan`. The secret among them is fetched only where there is a `destination`.
pub(crate) async fn deliver(
    provider: &dyn Provider,
    plan: &Plan,
    encoding: Encoding,
    destination: Destination,
    console: &mut Console,
) -> Result<()> {
    let configuration = Configuration::of_storage(&plan.deployment, &plan.outputs);
    print(configuration, provider.withheld(), encoding, destination, console).await
}

/// Prints `configuration`. The secret of the cloud is fetched only where there is a `destination`, and it is not
/// among the entries.
pub(crate) async fn print(
    mut configuration: Configuration,
    withheld: Option<Withheld<'_>>,
    encoding: Encoding,
    destination: Destination,
    console: &mut Console,
) -> Result<()> {
    let mut remarks = vec![];
    if let Some(withheld) = withheld.filter(|withheld| configuration.entry(withheld.name).is_none()) {
        let name = withheld.name;
        if matches!(destination, Destination::Withheld) {
            remarks.push(format!(
                "{name} is a secret: add --reveal to print it or --secret-file to write it to a file. This prints it too:\n{}",
                withheld.command
            ));
        } else {
            let value = fetch(withheld, console).await?;
            configuration.entries.push(Entry {
                name: name.to_owned(),
                value,
                masked: Some("***".to_owned()),
            });
        }
    }
    if encoding == Encoding::Login {
        return show(encode(encoding, &configuration, &[])?, vec![], encoding, console);
    }
    if encoding.refers() {
        return print_referring(&configuration, encoding, destination, remarks, console);
    }
    let (secret, open): (Vec<&Entry>, Vec<&Entry>) =
        all(&configuration).into_iter().partition(|entry| entry.is_secret());
    match destination {
        Destination::Shown => {
            return show(encode(encoding, &configuration, &all(&configuration))?, remarks, encoding, console);
        }
        Destination::Withheld => remarks.extend(withheld_remark(&secret)),
        Destination::File(file) if !secret.is_empty() => {
            remarks.push(format!(
                "{} {} written to {}",
                names(&secret),
                were(&secret),
                file.path().display()
            ));
            file.fill(&contents(&configuration, &secret, encoding)?)?;
        }
        Destination::File(_) => remarks.push(NO_SECRET.to_owned()),
    }
    show(encode(encoding, &configuration, &open)?, remarks, encoding, console)
}

const NO_SECRET: &str = "no file was written: the configuration has no secret";

/// What a file for the secrets contains: the key of the storage as it is, or what `encoding` makes of all.
fn contents(configuration: &Configuration, secret: &[&Entry], encoding: Encoding) -> Result<Secret> {
    match secret {
        [only] if !configuration.has_settings => Ok(Secret::new(only.text().to_owned())),
        _ => Ok(Secret::new(encode(encoding, configuration, secret)?.text)),
    }
}

/// Prints a document that refers to a Kubernetes Secret, whose manifest goes to `destination`.
fn print_referring(
    configuration: &Configuration,
    encoding: Encoding,
    destination: Destination,
    mut remarks: Vec<String>,
    console: &mut Console,
) -> Result<()> {
    let mut encoded = encode(encoding, configuration, &all(configuration))?;
    remarks.append(&mut encoded.remarks);
    match (encoded.secret.take(), destination) {
        (None, Destination::File(_)) => remarks.push(NO_SECRET.to_owned()),
        (None, _) => {}
        (Some(manifest), destination) => {
            let manifest = Secret::new(manifest);
            match destination {
                Destination::Withheld => remarks.push(
                    "the Secret that this refers to is not printed: add --secret-file to write its manifest to a file, for `kubectl apply`, or --reveal to print it below"
                        .to_owned(),
                ),
                Destination::Shown => encoded.text = format!("{}---\n{}", encoded.text, manifest.reveal()),
                Destination::File(file) => {
                    remarks.push(applied(&file));
                    file.fill(&manifest)?;
                }
            }
        }
    }
    show(encoded, remarks, encoding, console)
}

fn applied(file: &NewFile) -> String {
    let path = file.path().display();
    format!("the Secret that this refers to was written to {path}: apply it first")
}

async fn fetch(withheld: Withheld<'_>, console: &mut Console) -> Result<Secret> {
    let name = withheld.name;
    console.busy(&format!("fetching {name}"), withheld.secret).await.map_err(|error| match error.kind() {
        // The deployment is complete: only the secret is missing.
        Kind::Interrupted => Error::new(Kind::Interrupted, format!("interrupted before {name} was fetched"))
            .hint("`wbstore config` with the same arguments fetches it"),
        _ => error,
    })
}

/// What is said of `secret`, which is not shown: each with its value as far as it is none.
fn withheld_remark(secret: &[&Entry]) -> Option<String> {
    if secret.is_empty() {
        return None;
    }
    let (are, them) = if secret.len() == 1 { ("is a secret", "it") } else { ("are secrets", "them") };
    let lines =
        secret.iter().map(|entry| format!("\n{}={}", entry.name, entry.masked.as_deref().unwrap_or("***")));
    let names = names(secret);
    Some(format!(
        "{names} {are}: add --reveal to print {them} or --secret-file to write {them} to a file{}",
        lines.collect::<String>()
    ))
}

fn names(entries: &[&Entry]) -> String {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

fn were(entries: &[&Entry]) -> &'static str {
    if entries.len() == 1 { "was" } else { "were" }
}

/// Prints what was encoded with `remarks` as comments, or beside it where the format has none.
fn show(encoded: Encoded, remarks: Vec<String>, encoding: Encoding, console: &mut Console) -> Result<()> {
    let mut text = Zeroizing::new(encoded.text);
    if encoding.has_comments() {
        remarks.iter().for_each(|remark| text.push_str(&comments(remark)));
    }
    console.data(&text)?;
    if !encoding.has_comments() {
        remarks.iter().for_each(|remark| console.note(remark));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
