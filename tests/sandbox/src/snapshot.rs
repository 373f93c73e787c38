//! All that is in an account, as documents that can be compared.

use std::collections::BTreeMap;
use std::fmt;

use roxmltree::Node;

/// Documents by path, such as `bucket/acme/cors`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    /// Adds a document.
    pub fn insert(&mut self, path: impl Into<String>, document: impl Into<String>) {
        self.0.insert(path.into(), document.into());
    }

    /// The document at `path`.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The documents whose paths `keep` likes.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(path, _)| keep(path)).map(|(a, b)| (a.clone(), b.clone())).collect())
    }

    /// The paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is otherwise here than in `wanted`, one line for each document; nothing when both are
    /// the same.
    pub fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut lines = vec![];
        for (path, document) in &self.0 {
            match wanted.get(path) {
                Some(same) if same == document => {}
                Some(other) => {
                    lines.push(format!("{path} differs:\n    is     {document}\n    wanted {other}"));
                }
                None => lines.push(format!("{path} should not be there: {document}")),
            }
        }
        let missing = wanted.0.keys().filter(|path| self.get(path).is_none());
        lines.extend(missing.map(|path| format!("{path} is missing")));
        lines
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(path, document)| writeln!(f, "{path}: {document}"))
    }
}

/// An XML document on one line, so that two of them are equal when all their values are, to the
/// byte: without namespaces and indentation, and with elements of different names sorted. Elements of
/// one name keep their order.
pub fn canonical(xml: &str) -> String {
    match roxmltree::Document::parse(xml) {
        Ok(document) => write(document.root_element()),
        Err(_) => xml.to_owned(),
    }
}

fn write(node: Node<'_, '_>) -> String {
    let name = node.tag_name().name();
    let mut children: Vec<_> = node.children().filter(Node::is_element).collect();
    if children.is_empty() {
        return format!("{name}={:?}", node.text().unwrap_or_default());
    }
    children.sort_by_key(|child| child.tag_name().name().to_owned());
    let inside: Vec<_> = children.into_iter().map(write).collect();
    format!("{name}({})", inside.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{Snapshot, canonical};

    #[test]
    fn layout_means_nothing_and_values_everything() {
        let one = canonical("<A xmlns='x'>\n <C>2</C><B>1</B><B>0</B>\n</A>");
        assert_eq!(one, canonical("<A><B>1</B><B>0</B><C>2</C></A>"));
        assert_ne!(one, canonical("<A><B>0</B><B>1</B><C>2</C></A>"));
        assert_ne!(one, canonical("<A><B>1 </B><B>0</B><C>2</C></A>"));
    }

    #[test]
    fn each_kind_of_difference_is_told() {
        let (mut is, mut wanted) = (Snapshot::default(), Snapshot::default());
        is.insert("same", "1");
        wanted.insert("same", "1");
        assert_eq!(is.differences(&wanted), Vec::<String>::new());
        is.insert("other", "1");
        wanted.insert("other", "2");
        is.insert("extra", "1");
        wanted.insert("missing", "1");
        assert_eq!(is.differences(&wanted).len(), 3);
    }
}
