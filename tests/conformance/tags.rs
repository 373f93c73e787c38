//! The tags that the user wants: from the creating call on, and beside those of others.

use wbstore_sandbox::cloud::{Cloud, TEARDOWN};
use wbstore_sandbox::person::{ENTRY, Person};
use wbstore_sandbox::snapshot::Snapshot;

use crate::support::{assert_same, changes, plan, provision, provisioned, settled, teardown};

const TAGS: [&str; 4] = ["--tag", "cost-centre=c42", "--tag", "team=ml"];
const OTHER: [&str; 2] = ["--tag", "cost-centre=c43"];

/// Checks that each resource that can be tagged has both.
#[track_caller]
fn assert_tagged<C: Cloud>(snapshot: &Snapshot, texts: &[&str]) {
    for (path, _) in C::TAGGED {
        let document = snapshot.get(path).unwrap_or_else(|| panic!("no {path}: {snapshot}"));
        for text in texts {
            assert!(document.contains(text), "{path} has no {text}: {document}");
        }
    }
}

/// Policies of organisations refuse what is created without them.
pub async fn tags_are_in_the_creating_call_and_no_drift_later<C: Cloud>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &TAGS).await;
    let journal = cloud.proxy().journal();
    for (path, operation) in C::TAGGED {
        let call = journal.iter().find(|exchange| exchange.operation == *operation);
        let call = call.unwrap_or_else(|| panic!("{operation} was not sent"));
        let body = String::from_utf8_lossy(&call.body);
        assert!(body.contains("cost-centre") && body.contains("c42"), "{path}: {body}");
    }
    assert_tagged::<C>(&cloud.snapshot().await, &["cost-centre", "c42", "team"]);
    settled(&cloud, &TAGS).await;
    // One that is no longer wanted stays, and is no drift.
    settled(&cloud, &[]).await;
    settled(&cloud, &TAGS[..2]).await;
    teardown(&cloud, &[]).await.ends(0);
    assert_same(&cloud.snapshot().await, &before);
}

/// A value that differs and a tag that is missing are shown and written, and nothing else of the tags is changed.
pub async fn a_tag_that_differs_is_drift_and_those_of_others_stay<C: Person>() {
    let cloud = provisioned::<C>().await;
    let mut texts = vec!["team", "c42"];
    for document in
        C::ENTRIES.iter().filter(|entries| C::TAGGED.iter().any(|(path, _)| *path == entries.path))
    {
        assert!(cloud.add_entry(document).await.is_some(), "{document:?}");
        texts.push(ENTRY);
    }
    for (tags, value) in [(&TAGS[..], "c42"), (&OTHER[..], "c43")] {
        let pending = plan(&cloud, tags).await;
        let fields: Vec<_> =
            changes(&pending).iter().map(|change| change["field"].as_str().expect("it has a name")).collect();
        assert!(
            !fields.is_empty()
                && fields.iter().all(|field| field.ends_with("team") || field.ends_with("cost-centre"))
        );
        assert_eq!(
            fields.iter().filter(|field| field.ends_with("cost-centre")).count(),
            C::TAGGED.len(),
            "{fields:?}"
        );
        provision(&cloud, tags).await;
        settled(&cloud, tags).await;
        texts[1] = value;
        assert_tagged::<C>(&cloud.snapshot().await, &texts);
    }
    cloud.run("plan", &[&TAGS[..], &["--exit-code"]].concat()).await.ends(5);
}

/// An adopted resource is tagged too, where its tags are wbstore's to write; what others have there is given back.
pub async fn an_adopted_bucket_is_tagged_and_keeps_its_tags<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.predecessor().await;
    let before = cloud.snapshot().await;
    let adopt = [&["--adopt"], &TAGS[..]].concat();
    provision(&cloud, &adopt).await;
    settled(&cloud, &TAGS).await;
    cloud.run("teardown", TEARDOWN).await.ends(0);
    let shared = |path: &str| {
        let (_, document) = path.rsplit_once('/').unwrap_or_default();
        C::SHARED.contains(&document) && C::TAGGED.iter().all(|(tagged, _)| *tagged != path)
    };
    assert_same(&cloud.snapshot().await.only(shared), &before.only(shared));
    provision(&cloud, &adopt).await;
}
