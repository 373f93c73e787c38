//! Lists a whole bucket on several fronts at once.
//!
//! One listing is a chain of dependent calls, each of which gives a thousand entries. A large bucket
//! is therefore cut into ranges of keys that are listed side by side. Where to cut is found by asking
//! for the common prefixes ahead; a range that turns out to be long is cut again.

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::listing::{Bucket, Cursor, Page, Version};
use crate::error::{Error, Kind, Result};
use crate::retry;

/// Listings under way at once. Four give some ten to twenty thousand entries a second, which is more
/// than S3 deletes of one prefix.
const FRONTS: usize = 4;
/// Pages that are read before a range is cut for the first time; doubled with every cut, so that the
/// calls which cutting costs stay few beside those that bring entries.
const PAGES_BEFORE_CUT: u32 = 4;
/// How many ranges come of one cut.
const PIECES: usize = 8;
/// How many directories upwards of the last key are looked at for a place to cut.
const LEVELS: usize = 4;
/// Pages that wait to be taken. It bounds the memory: about a megabyte a page in the worst case.
const WAITING_PAGES: usize = 8;
/// Where to cut names that have no directories, chosen for hexadecimal digits, base 36 and base 64.
const LETTERS: [&str; PIECES - 1] = ["4", "8", "C", "O", "b", "h", "r"];

/// The keys after one and up to another, the latter included.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    from: Cursor,
    until: Option<String>,
    /// How often it was cut.
    cuts: u32,
}

impl Range {
    fn holds(&self, key: &str) -> bool {
        self.from.key.as_deref().is_none_or(|from| from < key)
            && self.until.as_deref().is_none_or(|until| key < until)
    }
}

/// Every version and delete marker of `bucket` behind `from`, page by page and in no order. A bucket
/// that is not there holds none. Dropping the receiver stops the listing.
pub fn walk(bucket: &Bucket, from: Cursor) -> Receiver<Result<Vec<Version>>> {
    let (pages, receiver) = channel(WAITING_PAGES);
    let bucket = bucket.clone();
    tokio::spawn(async move {
        let mut open = vec![Range { from, until: None, cuts: 0 }];
        let mut fronts = JoinSet::new();
        loop {
            while fronts.len() < FRONTS
                && let Some(range) = open.pop()
            {
                let (bucket, pages) = (bucket.clone(), pages.clone());
                fronts.spawn(async move {
                    let rest = tokio::select! {
                        rest = front(&bucket, range, &pages) => rest,
                        () = pages.closed() => return Ok(vec![]),
                    };
                    match rest? {
                        Some(rest) => cut(&bucket, rest).await,
                        None => Ok(vec![]),
                    }
                });
            }
            let failed = match fronts.join_next().await {
                None => return,
                Some(Ok(Ok(pieces))) => {
                    open.extend(pieces);
                    continue;
                }
                Some(Ok(Err(error))) => error,
                Some(Err(panic)) => Error::new(Kind::Failed, format!("list {}", bucket.name)).because(panic),
            };
            // The reader learns of it; when there is none any more, nobody needs to.
            let _ = pages.send(Err(failed)).await;
            return;
        }
    });
    receiver
}

/// Lists `range` for a number of pages, and returns what is left of it.
async fn front(bucket: &Bucket, range: Range, pages: &Sender<Result<Vec<Version>>>) -> Result<Option<Range>> {
    let mut range = range;
    for _ in 0..PAGES_BEFORE_CUT << range.cuts.min(16) {
        let Some(Page { mut versions, next, .. }) = page(bucket, "", false, &range.from).await? else {
            return Ok(None);
        };
        let mut past_the_end = false;
        if let Some(until) = &range.until {
            let all = versions.len();
            versions.retain(|version| version.key <= *until);
            past_the_end = versions.len() < all;
        }
        if !versions.is_empty() && pages.send(Ok(versions)).await.is_err() {
            return Ok(None);
        }
        match next {
            Some(next) if !past_the_end && range.until.is_none() => range.from = next,
            // The next page may begin in the middle of the last key's versions.
            Some(next) if !past_the_end && next.key <= range.until => range.from = next,
            _ => return Ok(None),
        }
    }
    Ok(Some(range))
}

/// One page; to give up here would be to begin anew with the whole bucket.
async fn page(bucket: &Bucket, prefix: &str, folded: bool, cursor: &Cursor) -> Result<Option<Page>> {
    retry::page(|| bucket.versions(prefix, folded, cursor)).await
}

/// Cuts `range` at common prefixes, from the outermost directory that it leaves inwards.
async fn cut(bucket: &Bucket, range: Range) -> Result<Vec<Range>> {
    let mut innermost = String::new();
    for directory in directories(&range) {
        let Some(page) =
            page(bucket, &directory, true, &Cursor { version: None, ..range.from.clone() }).await?
        else {
            return Ok(vec![]);
        };
        let ahead: Vec<String> = page.prefixes.into_iter().filter(|prefix| range.holds(prefix)).collect();
        innermost = directory;
        if page.next.is_some() {
            // Too many to see them all; the first thousand would make a lopsided cut.
            break;
        }
        if !ahead.is_empty() {
            let step = ahead.len().div_ceil(PIECES - 1);
            return Ok(pieces(range, ahead.into_iter().step_by(step)));
        }
    }
    Ok(pieces(range, LETTERS.iter().map(|letter| format!("{innermost}{letter}"))))
}

/// The directories of the range's first key, outermost first, that do not hold the whole range's end.
fn directories(range: &Range) -> Vec<String> {
    let from = range.from.key.as_deref().unwrap_or_default();
    let shared = range.until.as_deref().map_or(0, |until| {
        let same = from.bytes().zip(until.bytes()).take_while(|(a, b)| a == b).count();
        from.as_bytes()[..same].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
    });
    let inner = from.match_indices('/').map(|(slash, _)| slash + 1).filter(|end| *end > shared);
    std::iter::once(shared).chain(inner).take(LEVELS).map(|end| from[..end].to_owned()).collect()
}

/// `range` in pieces that end at `ends`, which come in order; those outside of it cut nothing.
fn pieces(range: Range, ends: impl Iterator<Item = String>) -> Vec<Range> {
    let mut pieces = vec![];
    let mut last = Range { cuts: range.cuts + 1, ..range };
    for end in ends {
        if last.holds(&end) {
            let from = Cursor { key: Some(end.clone()), version: None };
            let rest = Range { from, ..last.clone() };
            pieces.push(Range { until: Some(end), ..last });
            last = rest;
        }
    }
    pieces.push(last);
    // The list is worked off from its end: the first piece, which is known to hold something, goes first.
    pieces.reverse();
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(from: &str, until: Option<&str>) -> Range {
        Range {
            from: Cursor { key: Some(from.to_owned()), version: Some("v".to_owned()) },
            until: until.map(str::to_owned),
            cuts: 0,
        }
    }

    #[test]
    fn directories_go_from_the_first_that_is_left_inwards() {
        assert_eq!(directories(&range("a/b/c", None)), ["", "a/", "a/b/"]);
        assert_eq!(directories(&range("a/b/c", Some("a/d/"))), ["a/", "a/b/"]);
        assert_eq!(directories(&range("ä/b", Some("ö"))), ["", "ä/"]);
        assert_eq!(directories(&range("flat", None)), [""]);
    }

    #[test]
    fn only_the_first_piece_goes_on_in_the_middle_of_a_key() {
        let pieces = pieces(range("b", None), ["a", "c", "d"].map(str::to_owned).into_iter());
        let versions: Vec<_> = pieces.iter().map(|piece| piece.from.version.is_some()).collect();
        assert_eq!(versions, [false, false, true]);
    }

    proptest! {
        #[test]
        fn every_key_of_a_range_is_in_exactly_one_piece(
            key in "[a-d/]{1,4}", from in "[a-d/]{0,3}", ends in proptest::collection::btree_set("[a-d/]{1,3}", 0..9),
        ) {
            let whole = range(&from, None);
            let inside = |range: &Range| {
                range.from.key.as_deref().is_none_or(|from| from < key.as_str())
                    && range.until.as_deref().is_none_or(|until| key.as_str() <= until)
            };
            let wanted = usize::from(inside(&whole));
            let found = pieces(whole, ends.into_iter()).iter().filter(|piece| inside(piece)).count();
            prop_assert_eq!(found, wanted);
        }
    }
}
