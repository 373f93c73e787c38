//! Form encoding, in which S3 writes the keys of listings and of events: a space is `+`, and a plus
//! `%2B`.

/// Decodes one form-encoded value. Bytes that are not UTF-8 become the replacement character, as no
/// key has any.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::decode;

    proptest! {
        #[test]
        fn any_key_survives(key in ".*") {
            let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
            prop_assert_eq!(decode(&encoded), key);
        }

        #[test]
        fn no_text_makes_the_decoder_panic(text in "[%+0-9a-g\u{0}ü]*") {
            decode(&text);
        }
    }
}
