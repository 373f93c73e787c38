//! The origins of one server: a server may have several addresses, such as one inside a company's network.

use crate::origin::Origin;

/// One or more origins, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origins {
    first: Origin,
    others: Vec<Origin>,
}

impl Origins {
    /// `origins` in their order; `None` without any.
    pub(crate) fn of(origins: impl IntoIterator<Item = Origin>) -> Option<Self> {
        let mut origins = origins.into_iter();
        let mut all = Self::from(origins.next()?);
        for origin in origins {
            if all.iter().all(|one| *one != origin) {
                all.others.push(origin);
            }
        }
        Some(all)
    }

    /// The server's own address, `HOST`, which also names the deployment.
    pub(crate) fn first(&self) -> &Origin {
        &self.first
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// As CORS rules list them: in one order, so that it means nothing in which they were given.
    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut texts: Vec<_> = self.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    }
}

impl From<Origin> for Origins {
    fn from(first: Origin) -> Self {
        Self { first, others: vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(all: &[&str]) -> Option<Origins> {
        Origins::of(all.iter().map(|one| one.parse().unwrap()))
    }

    #[test]
    fn the_first_stays_first_and_each_is_there_once() {
        let several = origins(&["https://b.example", "https://a.example/", "https://b.example:443"]).unwrap();
        assert_eq!(several.first().as_str(), "https://b.example");
        assert_eq!(several.iter().count(), 2);
        assert_eq!(several.sorted(), ["https://a.example", "https://b.example"]);
        assert_eq!(origins(&[]), None);
    }
}
