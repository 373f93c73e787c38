//! Lists a whole bucket on several fronts at once.
//!
//! One listing is a chain of dependent calls, each of which returns a thousand entries. Where a store lists
//! from any key on, a large bucket is cut into ranges of keys that are listed side by side. Where to cut is
//! found by asking for the common prefixes ahead; a range that turns out to be long is cut again.

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::store::{Cursor, Entry, Listing, Page, Store, circular, page};
use crate::error::{Error, Kind, Result};

/// Pages that are read before a range is cut for the first time; doubled with every cut, so that the
/// calls which cutting costs stay few beside those that bring entries.
const PAGES_BEFORE_CUT: u32 = 4;
/// How many ranges come of one cut.
const PIECES: usize = 8;
/// How many directories above the last key are listed to find a place to cut.
const LEVELS: usize = 4;
/// Pages that wait to be read. It bounds the memory: about a megabyte a page in the worst case.
const WAITING_PAGES: usize = 8;
/// Where to cut names that have no directories, chosen for hexadecimal digits, base 36 and base 64.
const LETTERS: [&str; PIECES - 1] = ["4", "8", "C", "O", "b", "h", "r"];

type Pages = Sender<Result<Vec<Entry>>>;

/// The keys after one and up to another, the latter included.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    listing: Listing,
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

    /// How many pages are read before it is cut.
    fn pages<S: Store>(&self) -> u32 {
        let is_cut = S::FRONTS > 1 && self.listing == Listing::Objects;
        if is_cut { PAGES_BEFORE_CUT << self.cuts.min(16) } else { u32::MAX }
    }
}

/// Every entry of `store` from the places in `starts` on, page by page and in no order. A bucket that
/// does not exist has none. Dropping the receiver stops the listing.
pub(super) fn walk<S: Store>(
    store: &S,
    starts: impl IntoIterator<Item = (Listing, Cursor)>,
) -> Receiver<Result<Vec<Entry>>> {
    let (pages, receiver) = channel(WAITING_PAGES);
    let store = store.clone();
    let mut open: Vec<Range> =
        starts.into_iter().map(|(listing, from)| Range { listing, from, until: None, cuts: 0 }).collect();
    tokio::spawn(async move {
        let mut fronts = JoinSet::new();
        loop {
            while fronts.len() < S::FRONTS
                && let Some(range) = open.pop()
            {
                let (store, pages) = (store.clone(), pages.clone());
                fronts.spawn(async move {
                    let rest = tokio::select! {
                        rest = front(&store, range, &pages) => rest,
                        () = pages.closed() => return Ok(vec![]),
                    };
                    match rest? {
                        Some(rest) => cut(&store, rest).await,
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
                Some(Err(panic)) => Error::new(Kind::Failed, format!("list {}", store.name())).because(panic),
            };
            // Without a reader the error is not needed.
            let _ = pages.send(Err(failed)).await;
            return;
        }
    });
    receiver
}

/// Lists `range` for a number of pages, and returns what is left of it.
async fn front<S: Store>(store: &S, range: Range, pages: &Pages) -> Result<Option<Range>> {
    let mut range = range;
    let mut trail = Trail::default();
    for _ in 0..range.pages::<S>() {
        let Some(Page { mut entries, next, .. }) = page(store, range.listing, "", false, &range.from).await?
        else {
            return Ok(None);
        };
        let mut past_the_end = false;
        if let Some(until) = &range.until {
            let all = entries.len();
            entries.retain(|entry| entry.key <= *until);
            past_the_end = entries.len() < all;
        }
        if !entries.is_empty() && pages.send(Ok(entries)).await.is_err() {
            return Ok(None);
        }
        match next {
            // The next page may begin in the middle of the last key's versions.
            Some(next) if !past_the_end && (range.until.is_none() || next.key <= range.until) => {
                if trail.returns_to(&next) {
                    return Err(circular(store.name()));
                }
                range.from = next;
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(range))
}

/// Detects that a listing repeats itself, with a cycle of any length, in constant memory
/// (R. P. Brent, "An improved Monte Carlo factorization algorithm", 1980, section 2).
#[derive(Debug, Default)]
struct Trail {
    place: Cursor,
    steps: u64,
    until: u64,
}

impl Trail {
    fn returns_to(&mut self, next: &Cursor) -> bool {
        if self.place == *next {
            return true;
        }
        if self.steps == self.until {
            (self.place, self.steps, self.until) = (next.clone(), 0, self.until * 2 + 1);
        }
        self.steps += 1;
        false
    }
}

/// Cuts `range` at common prefixes, from the outermost directory that it leaves inwards.
async fn cut<S: Store>(store: &S, range: Range) -> Result<Vec<Range>> {
    let mut innermost = String::new();
    for directory in directories(&range) {
        let from = Cursor { token: None, ..range.from.clone() };
        let Some(page) = page(store, range.listing, &directory, true, &from).await? else {
            return Ok(vec![]);
        };
        let ahead: Vec<String> = page.prefixes.into_iter().filter(|prefix| range.holds(prefix)).collect();
        innermost = directory;
        if page.next.is_some() {
            // Too many to see them all; the first thousand would give uneven pieces.
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
            let from = Cursor { key: Some(end.clone()), token: None };
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
            listing: Listing::Objects,
            from: Cursor { key: Some(from.to_owned()), token: Some("v".to_owned()) },
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
    fn only_the_first_piece_begins_in_the_middle_of_a_key() {
        let pieces = pieces(range("b", None), ["a", "c", "d"].map(str::to_owned).into_iter());
        let tokens: Vec<_> = pieces.iter().map(|piece| piece.from.token.is_some()).collect();
        assert_eq!(tokens, [false, false, true]);
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

        #[test]
        fn a_circle_is_found_whatever_its_length(lead in 0u64..50, length in 1u64..50) {
            let mut trail = Trail::default();
            let place = |step: u64| {
                let at = if step < lead { step } else { lead + (step - lead) % length };
                Cursor { key: None, token: Some(at.to_string()) }
            };
            let found = (0..).position(|step| trail.returns_to(&place(step))).unwrap();
            prop_assert!(found as u64 >= lead + length && found as u64 <= 4 * (lead + length) + 4, "{found}");
        }
    }
}
