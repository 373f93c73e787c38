//! Ctrl-C, at any time.

use wbstore_sandbox::cloud::{Cloud, NAME};
use wbstore_sandbox::fault::{Failure, Fault, Side, When};
use wbstore_sandbox::person::Person;
use wbstore_sandbox::running::Running;

use crate::support::{assert_same, assert_untouched, first_write, provision, settled, teardown};

/// On every cloud: each has clients of its own that wait for an answer.
pub async fn while_it_only_looks_it_stops_at_once<C: Cloud>() {
    for (verb, more) in [
        ("plan", &[][..]),
        ("provision", &["--yes"]),
        ("config", &[]),
        ("verify", &[]),
        ("teardown", &["--confirm", NAME]),
        ("list", &[]),
    ] {
        // A place of its own, in which no call of the last one is still under way.
        let cloud = C::fresh().await;
        // Whatever it asks first never answers.
        let first = cloud.proxy().arm(When::every("*"), Fault::Hang(Side::Before));
        let command = if verb == "list" { cloud.command_on(verb, more) } else { cloud.command(verb, more) };
        let running = Running::start(command);
        first.reached().await;
        running.interrupt();
        let ran = running.ended().await.ends(130).tells(&["interrupted"]);
        assert_eq!(ran.stdout, "");
        assert_untouched(&cloud);
    }
}

pub async fn in_the_middle_it_finishes_what_is_under_way_and_says_how_to_go_on<C: Cloud>() {
    let create = first_write::<C>().await;
    let cloud = C::fresh().await;
    let create = cloud.proxy().arm(When::operation(&create, 0), Fault::Hang(Side::Before));
    let mut running = Running::start(cloud.command("provision", &["--yes"]));
    create.reached().await;
    running.interrupt();
    running.says("running steps finish").await;
    create.release();
    let ran = running.ended().await.ends(130).tells(&["interrupted", "hint:", "run the same"]);
    assert_eq!(ran.stdout, "", "half a deployment has no outputs");

    provision(&cloud, &[]).await;
    settled(&cloud, &[]).await;
}

pub async fn the_second_one_does_not_wait<C: Cloud>() {
    let create = first_write::<C>().await;
    let cloud = C::fresh().await;
    let create = cloud.proxy().arm(When::operation(&create, 0), Fault::Hang(Side::After));
    let mut running = Running::start(cloud.command("provision", &["--yes"]));
    create.reached().await;
    running.interrupt();
    running.says("running steps finish").await;
    running.interrupt();
    // The answer that the first one would wait for has still not come.
    running.ended().await.ends(130);
    create.abandon();

    provision(&cloud, &[]).await;
    settled(&cloud, &[]).await;
}

pub async fn a_wait_for_the_cloud_ends_at_once<C: Cloud>() {
    let create = first_write::<C>().await;
    let cloud = C::fresh().await;
    let create = cloud.proxy().arm(When::every(&create), Fault::fail(Failure::TooManyRequests(50)));
    let running = Running::start(cloud.command("provision", &["--yes"]));
    create.reached().await;
    running.interrupt();
    running.ended().await.ends(130).tells(&["hint:"]);
}

/// On every cloud, as each empties a bucket in its own way.
pub async fn a_teardown_stops_while_it_empties_and_goes_on_later<C: Person>() {
    let cloud = C::fresh().await;
    let before = cloud.snapshot().await;
    provision(&cloud, &[]).await;
    cloud.fill(20, 1).await;
    cloud.proxy().clear_journal();
    let emptying = When::operation(C::OBJECTS.written_by[0], 0);
    let emptying = cloud.proxy().arm(emptying, Fault::Hang(Side::Before));
    let mut running = Running::start(cloud.command("teardown", &["--confirm", NAME, "--delete-objects"]));
    emptying.reached().await;
    running.interrupt();
    running.says("running steps finish").await;
    emptying.release();
    running.ended().await.ends(130).tells(&["hint:", "run the same"]);

    teardown(&cloud, &["--delete-objects"]).await.ends(0);
    assert_same(&cloud.snapshot().await, &before);
}
