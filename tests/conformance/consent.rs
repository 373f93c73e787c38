//! Nothing is changed before somebody has agreed to it.

use wbstore_sandbox::cloud::{Cloud, NAME, variables};
use wbstore_sandbox::person::Person;
use wbstore_sandbox::ran::{Ran, finish};
use wbstore_sandbox::terminal::Terminal;

use crate::support::{assert_untouched, digest, names, plan, provision, provisioned, settled, teardown};

/// Runs `verb` for somebody who types `answer` when the screen shows `question`.
async fn answered<C: Cloud>(cloud: &C, verb: &str, question: &str, answer: &str) -> Ran {
    let mut terminal = Terminal::start(&cloud.command(verb, &[]));
    terminal.shows(question).await;
    terminal.types(answer).await;
    terminal.ended().await
}

pub async fn without_a_terminal_nothing_is_changed_unless_yes_is_said<C: Cloud>() {
    let cloud = C::fresh().await;
    cloud.run("provision", &[]).await.ends(2).tells(&["requires a terminal", "hint:", "--yes"]);
    assert_untouched(&cloud);
}

pub async fn a_no_changes_nothing_and_enter_alone_is_one<C: Cloud>() {
    for (question, answer) in [("Apply these changes?", "n\r"), ("[y/N]", "\r")] {
        let cloud = C::fresh().await;
        answered(&cloud, "provision", question, answer).await.ends(1).tells(&["nothing was changed"]);
        assert_untouched(&cloud);
    }
}

pub async fn a_yes_makes_the_changes_and_prints_the_outputs_alone<C: Cloud>() {
    let cloud = C::fresh().await;
    let ran = answered(&cloud, "provision", "Apply these changes?", "y\r").await.ends(0);
    assert!(ran.outputs().contains_key("BUCKET"), "{ran}");
    settled(&cloud, &[]).await;
    assert_eq!(cloud.run("config", &[]).await.ends(0).stdout, ran.stdout.replace("\r\n", "\n"));
}

pub async fn ctrl_c_at_a_question_changes_nothing<C: Cloud>() {
    let cloud = C::fresh().await;
    answered(&cloud, "provision", "Apply these changes?", "\x03").await.ends(130);
    assert_untouched(&cloud);
    provision(&cloud, &[]).await;
    cloud.proxy().clear_journal();
    answered(&cloud, "teardown", "to delete it", "\x03").await.ends(130);
    assert_untouched(&cloud);
}

pub async fn an_empty_plan_asks_nothing<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let ran = cloud.run("provision", &[]).await.ends(0);
    assert!(ran.outputs().contains_key("BUCKET"), "{ran}");
    assert_untouched(&cloud);
}

/// A digest is no consent of its own.
pub async fn the_digest_of_the_reviewed_plan_lets_it_through<C: Cloud>() {
    let cloud = C::fresh().await;
    let digest = digest(&cloud).await;
    cloud.run("provision", &["--expect", &digest]).await.ends(2).tells(&["--yes"]);
    assert_untouched(&cloud);
    provision(&cloud, &["--expect", &digest]).await;
}

pub async fn a_cloud_that_moved_since_the_review_is_refused<C: Person>() {
    let cloud = C::fresh().await;
    let digest = digest(&cloud).await;
    provision(&cloud, &[]).await;
    cloud.set(C::SETTING[1]).await.expect("it is there");
    cloud.proxy().clear_journal();
    let ran = cloud.run("provision", &["--yes", "--expect", &digest]).await.ends(3);
    ran.tells(&["digest is", &digest, "hint:"]);
    assert_untouched(&cloud);
}

pub async fn a_dry_run_shows_the_plan_and_changes_nothing<C: Cloud>() {
    let cloud = C::fresh().await;
    let dry = cloud.run("provision", &["--dry-run"]).await.ends(0);
    let shown = cloud.run("plan", &[]).await.ends(0);
    assert_eq!(dry.stdout, shown.stdout);
    let count = format!("{} to create", plan(&cloud, &[]).await["counts"]["create"]);
    assert!(dry.stdout.contains(&count) && !count.starts_with('0'), "{dry}");
    assert_untouched(&cloud);
}

pub async fn a_teardown_wants_the_name_typed<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    answered(&cloud, "teardown", "to delete it", "wandb\r").await.ends(2).tells(&["nothing was deleted"]);
    assert_untouched(&cloud);
    answered(&cloud, "teardown", "to delete it", &format!("{NAME}\r")).await.ends(0);
    assert_eq!(names(&cloud).await, Vec::<String>::new());
}

pub async fn a_teardown_without_a_terminal_wants_consent_as_an_argument<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    cloud.run("teardown", &[]).await.ends(2).tells(&["requires a terminal", "hint: add `--yes`"]);
    cloud.run("teardown", &["--confirm", "acme"]).await.ends(2).tells(&["nothing was deleted"]);
    cloud.run("teardown", &["--yes", "--confirm", "acme"]).await.ends(2).tells(&["nothing was deleted"]);
    cloud.run("teardown", &["--yes", "--dry-run"]).await.ends(2).tells(&["cannot be used with"]);
    assert_untouched(&cloud);
    cloud.fill(1, 1).await;
    let confirm = format!("hint: add `--confirm {NAME}`");
    cloud.run("teardown", &["--delete-objects"]).await.ends(2).tells(&["requires a terminal", &confirm]);
    assert_untouched(&cloud);
}

pub async fn a_yes_is_enough_to_delete_what_holds_nothing<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let ran = cloud.run("teardown", &["--yes"]).await.ends(0);
    assert!(!ran.stderr.contains("hint:") && ran.stdout.is_empty(), "{ran}");
    assert_eq!(names(&cloud).await, Vec::<String>::new());
    cloud.run("teardown", &["--yes"]).await.ends(0).tells(&["Nothing to delete"]);
}

/// What it is told to run is run, word for word.
pub async fn a_yes_covers_no_objects_and_the_hint_is_the_command_that_does<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    cloud.fill(2, 1).await;
    let mut hints = vec![];
    for more in [&["--yes"][..], &["--yes", "--delete-objects"], &["--yes", "--format", "json"]] {
        let ran = cloud.run("teardown", more).await.ends(3).tells(&["2 objects"]);
        let (_, hint) = ran.stderr.rsplit_once("`wbstore teardown ").expect(&ran.stderr);
        hints.push(hint.split_once('`').expect("a quoted command").0.to_owned());
    }
    assert_untouched(&cloud);
    hints.dedup();
    let [hint] = &hints[..] else { panic!("{hints:?}") };
    assert!(hint.ends_with(&format!("--delete-objects --confirm {NAME}")), "{hint}");
    let mut command = cloud.wbstore();
    // Endpoints of an emulator are not in the hint.
    command.envs(variables(&cloud.place("teardown")));
    command.arg("teardown").args(hint.split(' '));
    finish(command).await.ends(0);
    assert_eq!(names(&cloud).await, Vec::<String>::new());
}

pub async fn with_quiet_only_the_result_and_what_went_wrong_are_written<C: Cloud>() {
    let cloud = C::fresh().await;
    let ran = cloud.run("provision", &["--yes", "--quiet"]).await.ends(0);
    assert!(ran.outputs().contains_key("BUCKET") && ran.stderr.is_empty(), "{ran}");
    let again = cloud.run("provision", &["-q", "--format", "json"]).await.ends(0);
    assert!(again.stderr.is_empty() && again.stdout.lines().count() == 1, "{again}");
    cloud.fill(1, 1).await;
    let ran =
        cloud.run("teardown", &["--yes", "--quiet"]).await.ends(3).tells(&["! refuse", "1 object", "hint:"]);
    assert!(!ran.stderr.contains("Plan to"), "{ran}");
    let ran = cloud.run("teardown", &["--quiet", "--delete-objects", "--confirm", NAME]).await.ends(0);
    // What remains of a deletion is told.
    let is_told = ran.stderr.is_empty() || ran.stderr.contains("      note: ");
    assert!(is_told && !ran.stderr.contains("Plan") && ran.stdout.is_empty(), "{ran}");
    let failed = cloud.run("config", &["--quiet"]).await.ends(1).tells(&["error:", "hint:"]);
    assert_eq!(failed.stderr.lines().count(), 2, "{failed}");
}

/// `--quiet` does not ask for an answer to what was not shown.
pub async fn a_quiet_question_still_shows_the_plan<C: Cloud>() {
    let cloud = C::fresh().await;
    let mut terminal = Terminal::start(&cloud.command("provision", &["--quiet"]));
    terminal.shows("Plan to provision").await;
    terminal.shows("Apply these changes?").await;
    terminal.types("n\r").await;
    terminal.ended().await.ends(1);
    assert_untouched(&cloud);
}

pub async fn a_plan_that_is_not_asked_about_has_a_line_for_each_resource<C: Cloud>() {
    let cloud = C::fresh().await;
    let whole = cloud.run("provision", &[]).await.ends(2);
    let short = cloud.run("provision", &["--yes"]).await.ends(0);
    let (plan, _) = short.stderr.split_once("Plan: ").expect(&short.stderr);
    let steps = |text: &str| text.lines().filter(|line| line.starts_with("  + create")).count();
    assert!(steps(plan) > 1 && steps(plan) == steps(&whole.stderr), "{short}");
    let details =
        plan.lines().filter(|line| line.starts_with("      ") && !line.trim_start().starts_with("note:"));
    assert_eq!(details.count(), 0, "{plan}");
    for line in ["Plan: ", "Notes", "Digest: "] {
        assert!(short.stderr.contains(line), "{line}: {short}");
    }
    let note = whole.stderr.lines().skip_while(|line| *line != "Notes").nth(1).expect("a note");
    assert!(short.stderr.contains(note), "{note}: {short}");
}

pub async fn the_digest_of_another_teardown_deletes_nothing<C: Cloud>() {
    let cloud = provisioned::<C>().await;
    let other = ["--expect", "0123456789abcdef0123456789abcdef"];
    teardown(&cloud, &other).await.ends(3).tells(&["digest is", "hint:"]);
    assert_untouched(&cloud);
}

pub async fn colours_are_for_terminals_that_want_them<C: Cloud>() {
    let cloud = C::fresh().await;
    let escape = '\u{1b}';
    let piped = cloud.run("provision", &[]).await;
    assert!(!format!("{piped}").contains(escape), "{piped:?}");
    let colourful = Terminal::start(&cloud.command("provision", &["--yes"])).ended().await.ends(0);
    assert!(colourful.stderr.contains("\u{1b}[3") || colourful.stderr.contains("\u{1b}[1"), "{colourful:?}");
    assert!(!colourful.stdout.contains(escape), "data is never coloured: {colourful:?}");
    let mut command = cloud.command("provision", &["--yes"]);
    command.env("NO_COLOR", "1");
    let plain = Terminal::start(&command).ended().await.ends(0);
    assert!(!plain.stderr.contains("\u{1b}[3") && !plain.stderr.contains("\u{1b}[1m"), "{plain:?}");
}
