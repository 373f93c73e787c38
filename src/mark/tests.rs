use super::*;
use crate::name::tests::storage;

/// Tags that keep times as they are, and room for few.
pub(crate) const TAGS: Codec = Codec {
    entries: "tags",
    prefix: "wb:",
    deployment: "wb:deployment",
    separator: '-',
    any_case: false,
    seconds: false,
    names_shown: false,
    most: 4,
    tags: UserTags::Among,
};
/// Labels with a key of its own for the deployment, in any case, and times in seconds.
const LABELS: Codec = Codec {
    entries: "labels",
    prefix: "wb_",
    deployment: "wb",
    separator: '_',
    any_case: true,
    seconds: true,
    names_shown: true,
    most: usize::MAX,
    tags: UserTags::Beside,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entries(all: &[(&str, &str)]) -> Entries {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn mark(all: &[(&str, &str)]) -> Mark {
    Mark(entries(all))
}

fn wanted(lease: &str, renew_from: Option<i64>) -> Wanted {
    let lease = (!lease.is_empty()).then(|| lease.parse().unwrap());
    Wanted { lease, renew_from: renew_from.map(at), ..Wanted::named(storage("acme", None)) }
}

fn desired(lease: &str, renew_from: Option<i64>) -> Mark {
    Mark::desired(&wanted(lease, renew_from))
}

fn leased(lease: &str, end: &str) -> Mark {
    mark(&[(DEPLOYMENT, "acme"), (LEASE, lease), (EXPIRES, end)])
}

const WEEK: &str = "1970-01-08T00:00:00Z";

#[test]
fn the_mark_decides_whose_it_is() {
    let (acme, beta) = (storage("acme", None), storage("beta", None));
    let ours = desired("", None);
    assert_eq!(ours.owner(&acme), Owner::Ours);
    assert_eq!(ours.owner(&beta), Owner::Other(Some("acme".into())));
    assert_eq!(Mark::default().owner(&acme), Owner::Other(None));
    let adopted = Mark::default().changed(&ours, true, at(0));
    assert_eq!(adopted.owner(&acme), Owner::Adopted);
    assert_eq!(adopted.changed(&ours, false, at(0)).owner(&acme), Owner::Adopted, "it stays adopted");
}

#[test]
fn a_team_and_its_deployment_are_each_others_others() {
    let all = [
        storage("acme", None),
        storage("acme", Some("a-b")),
        storage("acme", Some("b")),
        storage("acme-a", Some("b")),
        storage("acme-a-b", None),
    ];
    for one in &all {
        let mark = Mark::desired(&Wanted::named(one.clone()));
        for codec in [&TAGS, &LABELS] {
            assert_eq!(codec.read(&codec.write(&mark)), mark);
        }
        for other in &all {
            let owner = if one == other { Owner::Ours } else { Owner::Other(Some(one.to_string())) };
            assert_eq!(mark.owner(other), owner);
        }
    }
    let broken = mark(&[(TEAM, "vision")]);
    assert_eq!(broken.owner(&storage("acme", Some("vision"))), Owner::Other(None));
}

#[test]
fn a_codec_reads_what_it_wrote_and_keeps_what_is_not_ours() {
    let mut written = Mark::default().changed(&desired("7d", None), false, at(0));
    written.set("dead_letter", "dead");
    let others = [("team", "ml"), ("wbx", "y")];
    for (codec, old) in [(&TAGS, "wb:lease"), (&LABELS, "Wb")] {
        let observed = entries(&[others[0], others[1], (old, "old")]);
        let all = codec.replace(&observed, &written);
        assert_eq!(codec.read(&all), written);
        assert_eq!(codec.others(&all), entries(&others));
    }
    let spelled = entries(&[
        ("wb:dead-letter", "dead"),
        ("wb:deployment", "acme"),
        ("wb:expires", WEEK),
        ("wb:lease", "7d"),
    ]);
    assert_eq!(TAGS.write(&written), spelled);
    let spelled =
        entries(&[("wb_dead_letter", "dead"), ("wb", "acme"), ("wb_expires", "604800"), ("wb_lease", "7d")]);
    assert_eq!(LABELS.write(&written), spelled);
}

#[test]
fn a_span_ends_counted_from_its_first_writing() {
    let asked = desired("7d", None);
    let first = Mark::default().changed(&asked, false, at(0));
    assert_eq!(first, leased("7d", WEEK));
    assert_eq!(first.managed(&asked), asked);
    assert_eq!(first.changed(&asked, false, at(1000)), first, "the end stays");
    let longer = desired("14d", None);
    assert_ne!(first.managed(&longer), longer);
    assert_eq!(first.changed(&longer, false, at(86_400)), leased("14d", "1970-01-16T00:00:00Z"));
}

#[test]
fn a_lease_whose_end_is_missing_or_cannot_be_read_is_set_again() {
    let asked = desired("7d", None);
    for broken in [asked.clone(), leased("7d", "soon")] {
        assert_eq!(broken.managed(&asked), desired("", None));
        assert_eq!(broken.changed(&asked, false, at(5)), leased("7d", "1970-01-08T00:00:05Z"));
    }
}

#[test]
fn a_renewal_is_a_change_until_it_is_written() {
    let renewed = desired("7d", Some(1000));
    assert_eq!(renewed, leased("7d", "1970-01-08T00:16:40Z"));
    let before = leased("7d", WEEK);
    assert_eq!(before.managed(&renewed), before);
    assert_eq!(before.changed(&renewed, false, at(2000)), renewed, "as it was shown");
    for done in [&renewed, &leased("7d", "1970-01-08T00:20:00Z")] {
        assert_eq!(done.managed(&renewed), renewed, "a later end is as good");
    }
    let other = leased("14d", "1970-01-08T00:20:00Z");
    assert_eq!(other.managed(&renewed), other);
}

#[test]
fn dates_and_leases_without_end_are_as_they_are_asked_for() {
    let (asked, date) = (desired("2027-03-01", None), "2027-03-01T00:00:00Z");
    assert_eq!(asked, mark(&[(DEPLOYMENT, "acme"), (LEASE, date)]));
    let written = Mark::default().changed(&asked, false, at(0));
    assert_eq!(written, leased(date, date));
    assert_eq!(LABELS.write(&written)["wb_lease"], "1803859200");
    assert_eq!(LABELS.read(&LABELS.write(&written)), written);
    assert_eq!(written.lease_of(&storage("acme", None)), Some("2027-03-01".parse().unwrap()));
    for other in [storage("beta", None), storage("acme", Some("vision"))] {
        assert_eq!(written.lease_of(&other), None);
    }
    let endless = desired("never", None);
    let observed = entries(&[("team", "ml"), ("wb", "acme"), ("wb_expires", "1"), ("wb_granted", "x")]);
    let marking = Marking::of(&wanted("never", None), &LABELS);
    let expected = [("team", "ml"), ("wb", "acme"), ("wb_lease", "never"), ("wb_granted", "x")];
    assert_eq!(marking.to_update(&observed, false).unwrap(), entries(&expected), "only the end goes");
    assert_eq!(marking.to_release(&observed), entries(&[("team", "ml")]));
    let taken = entries(&[("team", "ml"), ("wb", "beta"), ("wb_expires", "1")]);
    assert_eq!(marking.to_release(&taken), taken, "another deployment's by now");
    assert_eq!(marking.to_update(&taken, true).unwrap_err().kind(), Kind::Outdated);
    assert_eq!(endless.managed(&endless), endless);
}

#[test]
fn the_former_origin_is_remembered_until_the_next_one() {
    let marking = |origin: &str| Marking::of(&wanted("", None), &LABELS).with(ORIGIN, origin);
    let first = marking("https://a").to_write(&Mark::default(), false);
    assert_eq!(first.get(FORMER_ORIGIN), None);
    let second = marking("https://b").to_write(&first, false);
    assert_eq!((second.get(ORIGIN), second.get(FORMER_ORIGIN)), (Some("https://b"), Some("https://a")));
    assert_eq!(marking("https://b").to_write(&second, false), second);
}

fn tagged(codec: &'static Codec, tags: &[&str]) -> Marking {
    let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
    Marking::of(&Wanted { tags, ..wanted("", None) }, codec)
}

#[test]
fn tags_are_set_beside_the_mark_and_those_of_others_stay() {
    let marking = tagged(&TAGS, &["team=ml", "cost-centre="]);
    let both = [("cost-centre", ""), ("team", "ml"), ("wb:deployment", "acme")];
    assert_eq!(marking.to_create(), entries(&both));
    assert_eq!(serde_json::to_value(&marking).unwrap(), serde_json::json!(entries(&both)));
    let observed = entries(&[("team", "vision"), ("Team", "x"), ("wb:deployment", "acme")]);
    assert_ne!(marking.observed(&observed), marking, "one differs and one is missing");
    let updated = marking.to_update(&observed, false).unwrap();
    assert_eq!(updated, entries(&[both[0], both[1], both[2], ("Team", "x")]));
    assert_eq!(marking.observed(&updated), marking);
    assert_eq!(
        tagged(&TAGS, &[]).observed(&updated),
        tagged(&TAGS, &[]),
        "one that is no longer wanted stays"
    );
    assert_eq!(marking.to_release(&updated), entries(&[both[0], both[1], ("Team", "x")]));
}

#[test]
fn a_tag_in_another_case_is_the_same_where_case_means_nothing() {
    let marking = tagged(&LABELS, &["team=ml"]);
    let observed = entries(&[("Team", "vision"), ("wb", "acme")]);
    let updated = marking.to_update(&observed, false).unwrap();
    assert_eq!(updated, entries(&[("Team", "ml"), ("wb", "acme")]));
    assert_eq!(marking.observed(&updated), marking);
    assert_eq!(marking.tags(), &entries(&[("team", "ml")]));
    let beside = serde_json::to_value(&marking).unwrap();
    assert_eq!(beside, serde_json::json!({ "deployment": "acme" }), "they are a field of their own");
}

fn obstacles(seen: &Seen<()>) -> Vec<&str> {
    seen.remarks().obstacles.iter().map(|obstacle| obstacle.message.as_str()).collect()
}

#[test]
fn a_mark_that_does_not_fit_is_refused() {
    let marking = Marking::of(&wanted("7d", None), &TAGS);
    let full = entries(&[("a", "1"), ("b", "2")]);
    assert_eq!(
        obstacles(&marking.seen(&full, None, ())),
        ["with the wbstore mark it would have 6 tags; the cloud allows 4"],
        "the mark itself, `adopted`, the lease and its end"
    );
    assert!(obstacles(&marking.seen(&entries(&[]), None, ())).is_empty());
}

#[test]
fn what_a_mark_names_is_not_left_behind() {
    let marking = Marking::of(&wanted("", None), &TAGS).with(QUEUE, "mine");
    let of = |queue: &str| {
        let observed = entries(&[("wb:deployment", "acme"), ("wb:queue", queue)]);
        let mut seen = marking.seen(&observed, None, ());
        let named = |is: &str, word: &str| (format!("the queue {is}"), format!("add --queue {word}"));
        marking.keep_parts(&observed, QUEUE, named, &mut seen);
        obstacles(&seen).join("\n")
    };
    assert_eq!(of("theirs"), "its mark names the queue `theirs`, which this command would leave behind");
    assert_eq!((of("mine"), of(INTERNAL)), (String::new(), String::new()));
}
