//! Answers with other texts in them.

use hyper::header::CONTENT_LENGTH;
use serde_json::Value;

use crate::reply::{Reply, escape};

/// `reply` with each of `words` replaced, in what is JSON or XML.
pub(super) fn reworded(mut reply: Reply, words: &[(&'static str, String)]) -> Reply {
    let Ok(body) = std::str::from_utf8(reply.body()) else { return reply };
    if !words.iter().any(|(word, _)| body.contains(word)) {
        return reply;
    }
    let body = match serde_json::from_str::<Value>(body) {
        Ok(document) => in_json(document, words).to_string(),
        Err(_) if body.trim_start_matches('\u{feff}').starts_with('<') => in_xml(body, words),
        Err(_) => return reply,
    };
    reply.headers_mut().remove(CONTENT_LENGTH);
    reply.map(|_| body.into())
}

fn in_json(value: Value, words: &[(&'static str, String)]) -> Value {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            // A document in a text, such as the policy of a queue.
            Ok(inner) if inner.is_object() => in_json(inner, words).to_string().into(),
            _ => in_text(text, words).into(),
        },
        Value::Array(all) => all.into_iter().map(|one| in_json(one, words)).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(name, value)| (in_text(name, words), in_json(value, words))).collect()
        }
        value => value,
    }
}

fn in_text(text: String, words: &[(&'static str, String)]) -> String {
    words.iter().fold(text, |text, (word, instead)| text.replace(word, instead))
}

/// XML 1.0 has no way to write most control characters.
fn in_xml(text: &str, words: &[(&'static str, String)]) -> String {
    let is_text = |letter: &char| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r' | '\u{7f}'..);
    words.iter().fold(text.to_owned(), |text, (word, instead)| {
        let instead: String = instead.chars().filter(is_text).collect();
        text.replace(word, &escape(&instead))
    })
}
