//! Reads a file in dotenv form.
//!
//! The readers of that form replace `$NAME` and `${NAME}` within values by other variables, which changes a
//! password with a `$` in it; those that do not report neither the line nor a name that is there twice. Here all
//! of a value is literal, apart from the escapes between double quotes.

use std::collections::HashMap;

use super::{ServerSettings, Setting, SettingOrigin, Variable};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::value::quoted;

/// Reads `text`, the contents of `file`; the notes are about what is valid and looks wrong.
pub(super) fn read(text: &str, file: &str) -> Result<(ServerSettings, Vec<String>)> {
    let mut list: Vec<Setting> = vec![];
    let mut notes = vec![];
    let mut lines: HashMap<String, usize> = HashMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let refuse = |what: String| Error::input(format!("{file}:{number}: {what}"));
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, value)) = line.split_once('=') else {
            // Not repeated: it may be the rest of a secret that was pasted over several lines.
            return Err(refuse("a line without `=`".to_owned())
                .hint("write `NAME=value` on one line, or `#` before a comment"));
        };
        let name = name.trim_end();
        if !is_name(name) {
            return Err(refuse("not the name of a variable before `=`".to_owned())
                .hint("write `NAME=value` on one line, with the value between quotes where it has spaces"));
        }
        let value = value_of(value).map_err(|what| {
            refuse(format!("{name}: {what}"))
                .hint("write the value between single quotes, in which all characters are literal")
        })?;
        if let Some(first) = lines.insert(name.to_owned(), number) {
            return Err(
                refuse(format!("{name} is already set on line {first}")).hint("remove one of the two lines")
            );
        }
        let at = format!("{file}:{number}");
        let variable = Variable::named(name);
        if variable.is_none() {
            notes.push(unknown(&at, name));
        }
        if value.is_empty() {
            notes.push(format!("{at}: {name} is empty and counts as not set"));
            continue;
        }
        if value.split("${").nth(1).is_some_and(|rest| rest.contains('}')) {
            notes.push(format!("{at}: the `${{…}}` in {name} is taken literally"));
        }
        list.push(Setting {
            name: name.to_owned(),
            variable,
            value: Secret::new(value),
            origin: SettingOrigin::Line { file: file.to_owned(), line: number },
        });
    }
    if list.is_empty() {
        return Err(Error::input(format!("{file} sets no variable"))
            .hint("write one per line, such as `HOST=https://wandb.acme.com`"));
    }
    Ok((ServerSettings { list }, notes))
}

fn unknown(at: &str, name: &str) -> String {
    match Variable::nearest(name) {
        Some(nearest) => {
            format!("{at}: W&B documents no variable {}; did you mean {}?", quoted(name), nearest.name())
        }
        None => format!("{at}: W&B documents no variable {}", quoted(name)),
    }
}

fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(letter) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The value that `text`, which follows the `=`, stands for.
fn value_of(text: &str) -> Result<String, &'static str> {
    let text = text.trim_start();
    let (value, rest) = match text.chars().next() {
        Some('\'') => {
            text[1..].split_once('\'').map(|(value, rest)| (value.to_owned(), rest)).ok_or(UNCLOSED)?
        }
        Some('"') => unescaped(&text[1..])?,
        _ => {
            let end = text.find(" #").or_else(|| text.find("\t#")).unwrap_or(text.len());
            return Ok(if text.starts_with('#') { String::new() } else { text[..end].trim_end().to_owned() });
        }
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') { Ok(value) } else { Err("text after the closing quote") }
}

const UNCLOSED: &str = "a quote that is not closed on its line";

/// The text up to the closing double quote, and the rest.
fn unescaped(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\' | '$' | '`'))) => value.push(escaped),
                Some((_, 'n')) => value.push('\n'),
                Some((_, other)) => value.extend(['\\', other]),
                None => return Err(UNCLOSED),
            },
            letter => value.push(letter),
        }
    }
    Err(UNCLOSED)
}
