//! The server configuration on stdout, with the secrets among it where the user asks for them.

use zeroize::Zeroizing;

use crate::console::Console;
use crate::error::{Error, Kind, Result};
use crate::output::{Configuration, Encoded, Encoding, Entry, comments, encode};
use crate::plan::Plan;
use crate::provider::Provider;
use crate::secret::{Destination, Instead, NewFile, Secret, Withheld};
use crate::settings::kubernetes_name::Namespace;

/// Checks that `encoding` can represent the outputs of `plan`.
pub(crate) fn check(plan: &Plan, encoding: Encoding) -> Result<()> {
    let configuration = Configuration::of_storage(&plan.deployment, &plan.outputs);
    encode(encoding, &configuration, &all(&configuration)).map(drop)
}

fn all(configuration: &Configuration) -> Vec<&Entry> {
    configuration.entries.iter().collect()
}

/// Prints the outputs of `plan`, under their `title` where there are others. The secret among them is fetched only
/// where there is a `destination`.
pub(crate) async fn deliver(
    title: Option<&str>,
    provider: &dyn Provider,
    plan: &Plan,
    encoding: Encoding,
    namespace: Option<&Namespace>,
    destination: Destination,
    console: &mut Console,
) -> Result<()> {
    let mut configuration = Configuration::of_storage(&plan.deployment, &plan.outputs);
    configuration.title = title.map(str::to_owned);
    configuration.namespace = namespace.map(ToString::to_string);
    print(configuration, Some(provider), encoding, destination, console).await
}

/// Prints `configuration`, with what is left to do for the storage of `provider`. The secret of the cloud is fetched only
/// where there is a `destination`, and it is not among the entries.
pub(crate) async fn print(
    mut configuration: Configuration,
    provider: Option<&dyn Provider>,
    encoding: Encoding,
    destination: Destination,
    console: &mut Console,
) -> Result<()> {
    let mut remarks = provider.map(Provider::next_steps).unwrap_or_default();
    if let Some(withheld) = provider.and_then(Provider::withheld) {
        add(&mut configuration, withheld, &destination, &mut remarks, console).await?;
    }
    configuration.join_stores();
    if encoding == Encoding::Login {
        return show(
            &configuration,
            encode(encoding, &configuration, &[])?,
            vec![],
            encoding,
            false,
            console,
        );
    }
    if encoding.refers() {
        return print_referring(&configuration, encoding, destination, remarks, console);
    }
    let (secret, open): (Vec<&Entry>, Vec<&Entry>) =
        all(&configuration).into_iter().partition(|entry| entry.is_secret());
    match destination {
        Destination::Shown => {
            let is_secret = !secret.is_empty();
            let encoded = encode(encoding, &configuration, &all(&configuration))?;
            return show(&configuration, encoded, remarks, encoding, is_secret, console);
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
    show(&configuration, encode(encoding, &configuration, &open)?, remarks, encoding, false, console)
}

/// Adds the secret of the cloud to `configuration`, or what is shown instead of it.
async fn add(
    configuration: &mut Configuration,
    withheld: Withheld<'_>,
    destination: &Destination,
    remarks: &mut Vec<String>,
    console: &mut Console,
) -> Result<()> {
    let name = withheld.name;
    let is_withheld = matches!(destination, Destination::Withheld);
    let found = configuration.entries.iter().position(|entry| entry.name == name);
    let masked = match (&withheld.instead, found) {
        (Instead::Masked(masked), Some(_)) => masked.clone(),
        // The settings have it.
        (Instead::Command(_), Some(_)) | (Instead::Masked(_), None) => return Ok(()),
        (Instead::Command(command), None) if is_withheld => {
            remarks.push(format!(
                "{name} is a secret: add --reveal to print it or --secret-file to write it to a file. This prints it too:\n{command}"
            ));
            return Ok(());
        }
        (Instead::Command(_), None) => "***".to_owned(),
    };
    if let Some(warning) = withheld.warning.filter(|_| !is_withheld) {
        console.warn(warning);
    }
    let value = if is_withheld { Secret::new(masked.clone()) } else { fetch(withheld, console).await? };
    let entry = Entry { name: name.to_owned(), value, masked: Some(masked) };
    match found {
        Some(at) => configuration.entries[at] = entry,
        None => configuration.entries.push(entry),
    }
    Ok(())
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
    let mut is_secret = false;
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
                Destination::Shown => {
                    encoded.text = format!("{}---\n{}", encoded.text, manifest.reveal());
                    is_secret = true;
                }
                Destination::File(file) => {
                    remarks.push(applied(&file, configuration.namespace.is_some()));
                    file.fill(&manifest)?;
                }
            }
        }
    }
    show(configuration, encoded, remarks, encoding, is_secret, console)
}

fn applied(file: &NewFile, has_namespace: bool) -> String {
    let path = file.path().display();
    let place = if has_namespace { "" } else { ", in the namespace of the server" };
    format!("the Secret that this refers to was written to {path}: apply it first{place}")
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

/// Prints what was encoded with `remarks` as comments, or beside it where the format has none; below the title of the
/// configuration, if it has one.
fn show(
    configuration: &Configuration,
    encoded: Encoded,
    remarks: Vec<String>,
    encoding: Encoding,
    is_secret: bool,
    console: &mut Console,
) -> Result<()> {
    let mut text = Zeroizing::new(encoded.text);
    if let Some(title) = &configuration.title {
        text = Zeroizing::new(encoding.under(title, &text));
    }
    if encoding.has_comments() {
        remarks.iter().for_each(|remark| text.push_str(&comments(remark)));
    }
    if is_secret { console.secret_data(&text) } else { console.data(&text) }?;
    if !encoding.has_comments() {
        let of = configuration.title.as_ref().map(|title| format!("{title}: ")).unwrap_or_default();
        remarks.iter().for_each(|remark| console.note(&format!("{of}{remark}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
