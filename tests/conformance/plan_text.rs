//! A plan as a person reads it, at the widths that terminals have. `INSTA_UPDATE=always` writes the files in
//! `snapshots/` anew.

use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::person::Person;
use wbstore_sandbox::ran::{Ran, finish};

use crate::support::provision;

const WIDTHS: [usize; 3] = [60, 80, 200];

/// A plan to create, to update, to delete with data, and one that is refused.
pub async fn a_plan_fits_the_terminal<C: Person>() {
    let cloud = C::fresh().await;
    let mut pages = WIDTHS.map(|_| String::new());
    at_each_width(&cloud, "create", ("plan", &[]), 0, &mut pages).await;
    provision(&cloud, &[]).await;
    let second_host = ["--host", "https://wandb.acme.org"];
    let is_set = cloud.set(C::SETTING[1]).await.is_some();
    let update = if is_set { &[][..] } else { &second_host };
    at_each_width(&cloud, "update", ("plan", update), 0, &mut pages).await;
    cloud.fill(2, 1).await;
    let teardown = ("teardown", &["--dry-run", "--delete-objects"][..]);
    at_each_width(&cloud, "delete", teardown, 0, &mut pages).await;
    cloud.remark(&C::MARKS[0]).await.expect("it is there");
    at_each_width(&cloud, "refuse", ("plan", &[]), 3, &mut pages).await;
    for (width, page) in WIDTHS.into_iter().zip(pages) {
        insta::assert_snapshot!(format!("{}_{width}", C::CLOUD), page);
    }
}

async fn at_each_width<C: Cloud>(
    cloud: &C,
    title: &str,
    (verb, more): (&str, &[&str]),
    code: i32,
    pages: &mut [String],
) {
    let shown = async |width: Option<usize>| {
        let mut command = cloud.command(verb, more);
        command.envs(width.map(|width| ("COLUMNS", width.to_string())));
        let ran: Ran = finish(command).await.ends(code);
        let text = if verb == "plan" { &ran.stdout } else { &ran.stderr };
        masked(&text.replace(&cloud.account_id(), &"0".repeat(cloud.account_id().len())))
    };
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let whole = words(&shown(None).await);
    for (width, page) in WIDTHS.into_iter().zip(pages) {
        let text = shown(Some(width)).await;
        assert_eq!(words(&text), whole, "{title} at {width}");
        for line in text.lines().filter(|line| line.chars().count() > width) {
            // What introduces it, and one word or one command.
            let (before, _) = line.split_once('`').unwrap_or((line, ""));
            assert!(before.split_whitespace().count() <= 3, "{width}: {line}");
        }
        page.push_str(&format!("=== {title} ===\n{text}\n"));
    }
}

/// `text` with zeros for what differs from account to account, from run to run and from day to day: ids, hashes,
/// digests, ports and dates.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((date, after)) = rest.split_at_checked(10)
            && date.parse::<jiff::civil::Date>().is_ok()
        {
            masked.push_str("0000-00-00");
            rest = after;
            continue;
        }
        let end = rest.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let is_id = run.len() >= 8 && run.contains(|letter: char| letter.is_ascii_digit());
        let is_port = masked.ends_with("127.0.0.1:");
        masked.push_str(&if is_id || is_port { "0".repeat(run.len()) } else { run.to_owned() });
        let mut letters = after.chars();
        masked.extend(letters.next());
        rest = letters.as_str();
    }
    masked
}
