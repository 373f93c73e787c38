//! A page that posts itself to the callback (OAuth 2.0 Form Post Response Mode): its form, found without a parser
//! of HTML, since no more than attributes of two kinds of tags is read.

/// A form with its hidden fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PostedForm {
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
}

/// The form of `page` whose action is `callback`.
pub(super) fn posted_to(callback: &str, page: &str) -> Option<PostedForm> {
    let mut form: Option<PostedForm> = None;
    for tag in page.split('<').skip(1) {
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let name = tag.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        if name.eq_ignore_ascii_case("form") {
            if form.is_some() {
                break;
            }
            let action = attribute(tag, "action").filter(|action| action == callback);
            form = action.map(|action| PostedForm { action, fields: vec![] });
        } else if name.eq_ignore_ascii_case("input")
            && let Some(form) = &mut form
            && let (Some(name), Some(value)) = (attribute(tag, "name"), attribute(tag, "value"))
        {
            form.fields.push((name, value));
        }
    }
    form
}

/// The attribute `name` of `tag`, decoded.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let at = rest.to_ascii_lowercase().find(name)?;
        let begins =
            rest[..at].ends_with(|letter: char| letter.is_ascii_whitespace() || "\"'".contains(letter));
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| begins) else { continue };
        let value = value.trim_start();
        let value = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split(quote).next()?,
            _ => value.split(|letter: char| letter.is_ascii_whitespace()).next()?,
        };
        return Some(decoded(value));
    }
}

/// The references that a URL or an error is written with in HTML.
fn decoded(text: &str) -> String {
    let pairs = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#x2F;", "/"),
        ("&#x2f;", "/"),
        ("&#47;", "/"),
        ("&#x3a;", ":"),
        ("&#x3A;", ":"),
        ("&#58;", ":"),
        // Last, so that nothing is decoded twice.
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (reference, letter)| text.replace(reference, letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CALLBACK: &str = "https://wandb.acme.com/oidc/callback";

    #[test]
    fn the_form_to_the_callback_is_read_and_no_other() {
        let page = r#"<!DOCTYPE html><body onload="javascript:document.forms[0].submit()">
            <form method="post" action="https:&#x2F;&#x2F;wandb.acme.com/oidc/callback">
            <input type="hidden" name="error" value="login_required"/><INPUT name='state' value='a&amp;b'>
            </form></body>"#;
        let form = posted_to(CALLBACK, page).unwrap();
        let fields =
            [("error", "login_required"), ("state", "a&b")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(form.fields, fields);
        let login = r#"<form data-action="https://wandb.acme.com/oidc/callback" action="/login"><input name="user" value="">"#;
        assert_eq!(posted_to(CALLBACK, login), None);
    }

    proptest! {
        #[test]
        fn no_page_panics(page in ".{0,200}", tag in "[<>a-zéß= \"'/]{0,60}") {
            posted_to(CALLBACK, &page);
            posted_to(CALLBACK, &format!("<form {tag}action={tag}>{page}"));
        }
    }
}
