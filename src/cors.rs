//! Whether a CORS rule of others hides wbstore's. The first rule that matches origin and method answers, on
//! S3 ("How does Amazon S3 evaluate the CORS configuration on a bucket?"), Cloud Storage ("Cross-origin
//! resource sharing") and Azure Storage ("Cross-Origin Resource Sharing support") alike (B64).

/// A rule, whatever the cloud's spelling of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CorsRule {
    /// The rule in words, such as "rule `uploads`".
    pub(crate) name: String,
    pub(crate) origins: Vec<String>,
    pub(crate) methods: Vec<String>,
    /// The headers that a page may send.
    pub(crate) headers: Vec<String>,
    /// The headers of a response that a page may read.
    pub(crate) exposed: Vec<String>,
}

impl CorsRule {
    /// What the `earlier` rules of others take from pages of this rule's origins, one sentence for each rule
    /// that does. `required` are the headers that an upload sends.
    pub(crate) fn hidden_by(&self, earlier: &[Self], required: &[&str]) -> Vec<String> {
        earlier.iter().filter_map(|theirs| self.loss(theirs, required)).collect()
    }

    fn loss(&self, theirs: &Self, required: &[&str]) -> Option<String> {
        let matches = self.origins.iter().any(|origin| covers(&theirs.origins, origin));
        let methods: Vec<_> = self.methods.iter().filter(|method| covers(&theirs.methods, method)).collect();
        if !matches || methods.is_empty() {
            return None;
        }
        let mut lost = vec![];
        if let Some(hidden) = self.exposed.iter().find(|header| !covers(&theirs.exposed, header)) {
            let hidden = if hidden == "*" { "ETag" } else { hidden };
            if !covers(&theirs.exposed, hidden) {
                lost.push(format!("pages cannot read `{hidden}`"));
            }
        }
        let refused: Vec<_> =
            required.iter().copied().filter(|header| !covers(&theirs.headers, header)).collect();
        if methods.iter().any(|method| *method == "PUT") && !refused.is_empty() {
            lost.push(format!("uploads may not send {}", refused.join(", ")));
        }
        (!lost.is_empty()).then(|| {
            format!(
                "{} comes before wbstore's rule and matches the same origin, so {}: move it behind wbstore's rule \
                 or extend it",
                theirs.name,
                lost.join(", and ")
            )
        })
    }
}

/// Whether one of `patterns`, which may hold one `*`, covers `value`. The case of letters means nothing in
/// host names, methods and headers.
fn covers(patterns: &[String], value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    patterns.iter().map(|pattern| pattern.to_ascii_lowercase()).any(|pattern| match pattern.split_once('*') {
        Some((start, end)) => {
            value.len() >= start.len() + end.len() && value.starts_with(start) && value.ends_with(end)
        }
        None => pattern == value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn rule(origin: &str, methods: &[&str], headers: &[&str], exposed: &[&str]) -> CorsRule {
        CorsRule {
            name: "rule `other`".into(),
            origins: words(&[origin]),
            methods: words(methods),
            headers: words(headers),
            exposed: words(exposed),
        }
    }

    fn hidden_by(theirs: CorsRule) -> String {
        let ours = rule("https://wandb.acme.com", &["GET", "HEAD", "PUT"], &["*"], &["ETag"]);
        ours.hidden_by(&[theirs], &["content-type"]).join("; ")
    }

    #[test]
    fn an_earlier_rule_that_takes_nothing_is_no_finding() {
        assert_eq!(hidden_by(rule("*", &["GET", "PUT"], &["*"], &["etag"])), "");
        assert_eq!(hidden_by(rule("https://x.example", &["GET"], &[], &[])), "");
        assert_eq!(hidden_by(rule("*", &["DELETE"], &[], &[])), "");
    }

    #[test]
    fn the_finding_names_what_an_earlier_rule_takes() {
        let found = hidden_by(rule("*", &["GET"], &[], &[]));
        assert!(found.contains("pages cannot read `ETag`") && !found.contains("uploads"), "{found}");
        let found = hidden_by(rule("https://*.acme.com", &["put"], &["x-other"], &["ETag"]));
        assert!(found.contains("uploads may not send content-type") && !found.contains("ETag"), "{found}");
    }

    #[test]
    fn a_star_in_a_rule_covers_what_stands_between() {
        let covers = |pattern: &str, origin| covers(&words(&[pattern]), origin);
        assert!(covers("*", "https://wandb.acme.com"));
        assert!(covers("https://*.acme.com", "https://wandb.acme.com"));
        assert!(covers("https://Wandb.acme.com", "https://wandb.acme.com"));
        assert!(!covers("https://*.acme.com", "https://acme.com"));
        assert!(!covers("https://wandb.acme.com", "http://wandb.acme.com"));
    }
}
