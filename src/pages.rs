//! The end of lists that are read whole, for servers that repeat a page or always have another. The listing of
//! objects has no such limit; it detects [cycles](crate::empty).

use std::collections::BTreeSet;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::error::{Error, Kind, Result};

/// The most pages of a list. A page has up to a thousand entries, and an AWS account up to a million buckets,
/// the most that a cloud lists of what is read here (Amazon S3 documentation, "Bucket quotas").
const MOST_PAGES: usize = 1000;
/// The most bytes of all pages of a list: ten thousand storage accounts of ARM, a hundred thousand buckets.
const MOST_BYTES: usize = 64 << 20;

/// The pages of one list that were read.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// Hashes of the tokens, which are the server's and may be long.
    tokens: BTreeSet<u64>,
    bytes: usize,
}

impl Pages {
    /// Notes a page of `bytes`, after which `call` on `target` reads the page at `token`.
    ///
    /// # Errors
    /// [`Kind::Failed`] for a token that was there before, and for a list beyond all limits.
    pub(crate) fn turn(
        &mut self,
        token: &(impl Hash + ?Sized),
        bytes: usize,
        call: &str,
        target: impl Display,
    ) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        let is_new = self.tokens.insert(hasher.finish());
        self.bytes += bytes;
        let why = if !is_new {
            "the server returned the same page again".to_owned()
        } else if self.tokens.len() >= MOST_PAGES {
            format!("the list does not end after {MOST_PAGES} pages")
        } else if self.bytes > MOST_BYTES {
            format!("the list is longer than {MOST_BYTES} bytes")
        } else {
            return Ok(());
        };
        Err(Error::new(Kind::Failed, format!("{call} on {target}: {why}"))
            .hint("this is a fault of the endpoint; check the endpoint variables and options, and any proxy"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(pages: &mut Pages, token: usize, bytes: usize) -> Result<()> {
        pages.turn(&token, bytes, "s3:ListAllMyBuckets", "account 123456789012")
    }

    #[test]
    fn a_token_that_comes_again_ends_the_list_however_long_the_cycle() {
        let mut pages = Pages::default();
        assert!((0..7).all(|token| turn(&mut pages, token, 1).is_ok()));
        let error = turn(&mut pages, 3, 1).unwrap_err();
        assert!(error.kind() == Kind::Failed && error.to_string().contains("same page"), "{error:?}");
    }

    #[test]
    fn fresh_pages_end_at_their_number_and_at_their_size() {
        let mut pages = Pages::default();
        let read = (0..).take_while(|token| turn(&mut pages, *token, 1).is_ok()).count();
        assert_eq!(read, MOST_PAGES - 1);
        let mut pages = Pages::default();
        assert!(turn(&mut pages, 0, MOST_BYTES).is_ok());
        assert!(turn(&mut pages, 1, 1).unwrap_err().to_string().contains("bytes"));
    }
}
