//! Escapes text of others for markdown and Mermaid.

use std::fmt::Write as _;

use super::clean::clean;

/// Prose: shown as it is, with no markup, no HTML and nobody mentioned.
pub(super) fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    let raw = clean(raw);
    // Nothing becomes a link: neither what has a scheme nor what begins with www. (GitHub Flavored Markdown,
    // "Autolinks (extension)").
    for c in raw.replace("www.", "www\0.").replace("://", "\0//").chars() {
        match c {
            '\0' if safe.ends_with("www") => safe.push_str("<!-- -->"),
            '\0' => safe.push_str("&#58;"),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // An empty comment is what keeps a code host from notifying that person or team.
            '@' => safe.push_str("@<!-- -->"),
            // The same for the number of an issue.
            '#' => safe.push_str("\\#<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '!' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Code within a line or a table's cell.
pub(super) fn code(raw: &str) -> String {
    let raw = clean(raw);
    // In a cell a code span can hold neither a pipe nor a backslash before one.
    if !raw.is_empty() && raw.trim() == raw && !raw.contains(['`', '|', '\\']) {
        return format!("`{raw}`");
    }
    let mut safe = String::from("<code>");
    for c in raw.chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(safe, "&#{};", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe.push_str("</code>");
    safe
}

/// A fenced block of `lines`, with a fence that none of them can close.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| clean(line)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// The label of a Mermaid node, for use between double quotes.
pub(super) fn label(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for c in clean(raw).chars() {
        if c.is_alphanumeric() || " /._:-".contains(c) {
            safe.push(c);
        } else {
            let _ = write!(safe, "#{};", u32::from(c));
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{code, fenced, label, text};

    #[test]
    fn prose_stays_prose() {
        assert_eq!(text("a|b <b>@ops</b> `x` *y*"), r"a\|b &lt;b&gt;@<!-- -->ops&lt;/b&gt; \`x\` \*y\*");
        assert_eq!(
            text("https://evil.example www.evil.example #1"),
            r"https&#58;//evil.example www<!-- -->.evil.example \#<!-- -->1"
        );
    }

    #[test]
    fn code_stays_one_cell_and_one_span() {
        assert_eq!(code(r#"["GET","PUT"]"#), r#"`["GET","PUT"]"#.to_owned() + "`");
        assert_eq!(code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(code("`</code>"), "<code>&#96;&#60;&#47;code&#62;</code>");
        assert_eq!(code(""), "<code></code>");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("sh", &["A=````".to_owned()]), "`````sh\nA=````\n`````");
    }

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        assert_eq!(label(r#"x"]; click y"#), "x#34;#93;#59; click y");
        assert_eq!(label("create aws/queue/acme-wandb"), "create aws/queue/acme-wandb");
    }
}
