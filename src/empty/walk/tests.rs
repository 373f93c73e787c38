use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;

use super::*;
use crate::empty::tests::fake::{Cloud, Fake, PAGE_TAKES};

/// What a listing of everything found, how many pages that took, and how many one after the other. They come when
/// they come, and not in rounds.
#[derive(Debug)]
struct Listed {
    keys: Vec<String>,
    pages: usize,
    chain: u128,
}

fn listed<const FRONTS: usize>(keys: impl IntoIterator<Item = String>, page: usize) -> Listed {
    let cloud = Arc::new(Cloud { page, uneven: 20, ..Cloud::with(keys) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let begun = Instant::now();
        let store = Fake::<FRONTS>(Arc::clone(&cloud));
        let mut walk = Walk::of(&store, FRONTS, [Range::whole(Listing::Objects)]);
        let mut keys = vec![];
        while let Some(entries) = walk.next().await.unwrap() {
            keys.extend(entries.into_iter().map(|entry| entry.key));
        }
        assert!(walk.is_done());
        let pages = cloud.listed.load(Ordering::Relaxed);
        Listed { keys, pages, chain: begun.elapsed().as_millis() / PAGE_TAKES.as_millis() }
    })
}

/// That 100,000 `keys` take few pages more than there are, and at most `chain` one after the other.
#[track_caller]
fn is_short(keys: Vec<String>, chain: u128) {
    assert_eq!(keys.len(), 100_000);
    let listed = listed::<32>(keys, 1000);
    assert_eq!(listed.keys.len(), 100_000);
    let Listed { pages, chain: found, .. } = listed;
    assert!(pages <= 160 && found <= chain, "{pages} pages, {found} in a chain");
}

/// A hash.
fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

#[test]
fn one_flat_directory_is_cut() {
    is_short((0..100_000).map(|number| format!("media/images/step_{number:09}.png")).collect(), 12);
}

#[test]
fn numbers_without_zeros_before_them_are_cut() {
    is_short((0..100_000).map(|number| format!("run/{number}")).collect(), 12);
}

#[test]
fn hashes_are_cut() {
    let key = |number| format!("{:016x}{:016x}", mixed(number), mixed(!number));
    is_short((0..100_000).map(key).collect(), 12);
}

#[test]
fn base64_is_cut() {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
    let letter = |hash: u64, at: u32| letters[(hash >> (6 * at)) as usize % 64];
    let key = |number| (0..10).map(|at| letter(mixed(number), at)).collect::<String>();
    is_short((0..100_000).map(|number| format!("{}{number:x}", key(number))).collect(), 12);
}

#[test]
fn one_hot_directory_is_cut() {
    let small =
        (0..1000).map(|number| format!("{}-{:03}/file", if number < 500 { 'a' } else { 'z' }, number % 500));
    let hot = (0..99_000).map(|number| format!("hot/{:04}/part-{number:05}", number / 64));
    is_short(small.chain(hot).collect(), 12);
}

#[test]
fn what_a_wandb_server_writes_is_cut() {
    let files =
        ["config.yaml", "media/images/a.png", "output.log", "wandb-history.jsonl", "wandb-summary.json"];
    let run = |number: u64| format!("acme/project-{}/{:08x}", mixed(number / 5) % 7, mixed(number / 5) >> 32);
    let runs = (0..60_000).map(|number| format!("{}/{}", run(number), files[number as usize % 5]));
    let artifact = |number: u64| format!("wandb_artifacts/{}/{:032x}", 4000 + number / 40, mixed(number));
    is_short(runs.chain((0..40_000).map(artifact)).collect(), 12);
}

#[test]
fn days_are_cut() {
    let key = |number: u64| {
        let (day, hour) = (number / 5000, number / 200 % 24);
        format!(
            "logs/2026/{:02}/{:02}/{hour:02}/{:016x}{number:x}.gz",
            1 + day / 28,
            1 + day % 28,
            mixed(number)
        )
    };
    is_short((0..100_000).map(key).collect(), 40);
}

#[test]
fn letters_of_other_scripts_are_cut() {
    let letters: Vec<char> = ('а'..='я').collect();
    let letter = |hash: u64, at: u32| letters[(hash >> (5 * at)) as usize % 32];
    let key = |number| (0..8).map(|at| letter(mixed(number), at)).collect::<String>();
    is_short((0..100_000).map(|number| format!("мы/{}{number:05}", key(number))).collect(), 40);
}

#[test]
fn small_buckets_cost_few_calls() {
    for number in [0, 1, 1000, 1001, 3000, 10_000] {
        let listed = listed::<32>((0..number).map(|number| format!("run/{number:09}")), 1000);
        assert!(listed.pages <= number / 1000 + 15, "{number}: {}", listed.pages);
    }
}

/// Keys that are prefixes of each other, with empty segments, of any script, and as long as can be.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab/]{1,6}",
        "[a-c]{1,3}/[0-9]{1,4}",
        "[0-9a-f]{4}",
        "\\PC{1,4}",
        "(a|ä|本|\u{10ffff}|\u{1}){1,3}",
        "x{1000,1024}",
    ]
}

proptest! {
    #[test]
    fn every_key_is_listed_once(
        keys in proptest::collection::btree_set(key(), 0..300), page in 1usize..20,
    ) {
        let listed = listed::<8>(keys.clone(), page);
        let found: BTreeSet<String> = listed.keys.iter().cloned().collect();
        prop_assert_eq!(found.len(), listed.keys.len(), "a key was listed twice");
        prop_assert_eq!(found, keys);
    }

    #[test]
    fn a_cut_is_inside_and_in_order(
        shown in proptest::collection::btree_set(key(), 1..40),
        (before, until) in (proptest::option::of(key()), proptest::option::of(key())),
        is_followed in any::<bool>(),
        most in 0usize..40,
    ) {
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let ahead = Ahead::of(&shown, before.as_deref(), until.as_deref(), is_followed).unwrap();
        let cuts = ahead.cuts(most);
        prop_assert!(cuts.len() <= most && cuts.is_sorted_by(|one, other| one < other));
        let last = shown[shown.len() - 1];
        prop_assert!(cuts.iter().all(|cut| cut.as_str() > last));
        prop_assert!(until.is_none_or(|until| cuts.iter().all(|cut| *cut < until)));
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
