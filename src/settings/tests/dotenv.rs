use crate::error::Kind;
use crate::settings::{ServerSettings, Variable, dotenv};

fn read(text: &str) -> (ServerSettings, Vec<String>) {
    dotenv::read(text, "wandb.env").unwrap()
}

#[track_caller]
fn refused(text: &str) -> (String, String) {
    let error = dotenv::read(text, "wandb.env").unwrap_err();
    assert_eq!(error.kind(), Kind::Input);
    (error.chain(), error.what_next().unwrap_or_default().to_owned())
}

#[test]
fn all_usual_ways_to_write_a_file_are_read() {
    let (settings, notes) = read(
        "\u{feff}# settings\r\n\r\nHOST=https://wandb.acme.com # comment\r\nexport BUCKET = 's3://acme' # it\r\n\
         OIDC_CLIENT_ID=\"a \\\"b\\\" \\\\ \\$c\"\r\nLICENSE=a#b\r\n  AWS_REGION=us-east-1  \r\nREDIS='redis://:$x$@h'\r\n",
    );
    let values: Vec<_> =
        settings.iter().map(|setting| (setting.name.as_str(), setting.value.reveal())).collect();
    assert_eq!(
        values,
        [
            ("HOST", "https://wandb.acme.com"),
            ("BUCKET", "s3://acme"),
            ("OIDC_CLIENT_ID", r#"a "b" \ $c"#),
            ("LICENSE", "a#b"),
            ("AWS_REGION", "us-east-1"),
            ("REDIS", "redis://:$x$@h"),
        ]
    );
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(settings.get(Variable::Bucket).unwrap().origin.to_string(), "wandb.env:4");
}

#[test]
fn nothing_is_replaced_within_a_value() {
    let (settings, notes) = read("MYSQL=mysql://u:${HOST}@h/d\nREDIS=\"redis://:$HOME@h\"\n");
    assert_eq!(settings.value(Variable::Mysql), Some("mysql://u:${HOST}@h/d"));
    assert_eq!(settings.value(Variable::Redis), Some("redis://:$HOME@h"));
    assert_eq!(notes, ["wandb.env:1: the `${…}` in MYSQL is taken literally"]);
}

#[test]
fn a_name_that_is_not_documented_has_a_note_with_the_nearest_one() {
    let (settings, notes) = read("REDIS_URL=redis://h\nXYZZY=1\nHOST=https://a.example\nSLACK_SECRET=\n");
    assert_eq!(
        notes,
        [
            "wandb.env:1: W&B documents no variable `REDIS_URL`; did you mean REDIS?",
            "wandb.env:2: W&B documents no variable `XYZZY`",
            "wandb.env:4: SLACK_SECRET is empty and counts as not set",
        ]
    );
    assert_eq!(settings.iter().count(), 3);
}

#[test]
fn a_variable_that_is_there_twice_is_refused_with_both_lines() {
    let (error, hint) = refused("HOST=https://a.example\n\nHOST=https://b.example\n");
    assert_eq!(error, "wandb.env:3: HOST is already set on line 1");
    assert_eq!(hint, "remove one of the two lines");
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_not_repeated() {
    for (text, what) in [
        ("HOST=a\ncanary\n", "wandb.env:2: a line without `=`"),
        ("canary secret=1\n", "wandb.env:1: not the name of a variable before `=`"),
        ("1A=canary\n", "wandb.env:1: not the name of a variable before `=`"),
        ("LICENSE='canary\n", "wandb.env:1: LICENSE: a quote that is not closed on its line"),
        ("LICENSE=\"canary\n", "wandb.env:1: LICENSE: a quote that is not closed on its line"),
        ("LICENSE='canary'canary\n", "wandb.env:1: LICENSE: text after the closing quote"),
    ] {
        let (error, hint) = refused(text);
        assert_eq!(error, what);
        assert!(!hint.is_empty() && !hint.contains("canary"), "{hint}");
    }
}

#[test]
fn a_file_without_a_variable_is_refused() {
    for text in ["", "\u{feff}", "# nothing\n\n", "HOST=\n"] {
        assert_eq!(refused(text).0, "wandb.env sets no variable");
    }
}
