//! What the value types share: they are text that was checked once, on construction.

/// `input` as it may be printed: what cannot be seen is escaped, so that it can neither drive a
/// terminal nor turn the text around, and long text is cut.
pub(crate) fn printable(input: &str) -> String {
    const SHOWN: usize = 80;
    let mut text = String::new();
    for c in input.chars().take(SHOWN) {
        match c {
            // `escape_debug` escapes these for Rust's sake; a reader would see a second error.
            '\'' | '"' | '\\' => text.push(c),
            // It would end a quotation.
            '`' => text.extend(c.escape_unicode()),
            _ => text.extend(c.escape_debug()),
        }
    }
    if input.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text
}

/// [`printable`] in backticks, for use in messages.
pub(crate) fn quoted(input: &str) -> String {
    format!("`{}`", printable(input))
}

/// Gives a checked text type, whose field `text` holds it, its reading side: `as_str`, `Display`,
/// `AsRef<str>` and `Serialize` as a string.
macro_rules! text_value {
    ($type:ident) => {
        impl $type {
            /// The text, in its one canonical form.
            #[allow(dead_code, reason = "not every value is read as text")]
            pub(crate) fn as_str(&self) -> &str {
                &self.text
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.text)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.text
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }
    };
}

pub(crate) use text_value;

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quoted_text_is_safe_to_print() {
        assert_eq!(quoted("plain-1"), "`plain-1`");
        assert_eq!(quoted("a\u{1b}[31m\n"), r"`a\u{1b}[31m\n`");
        assert_eq!(quoted("a\u{202e}b"), r"`a\u{202e}b`");
        assert_eq!(quoted("a`b"), r"`a\u{60}b`");
        assert_eq!(quoted("it's \"a\\b\""), "`it's \"a\\b\"`");
        assert_eq!(quoted(&"x".repeat(81)), format!("`{}…`", "x".repeat(80)));
        assert_eq!(quoted(&"x".repeat(80)), format!("`{}`", "x".repeat(80)));
    }
}
