//! What an international host name looks like to a person.

use std::collections::BTreeSet;

use crate::value::quoted;

/// Notes both forms of an international name, and warns of labels that mix scripts: `pаypal` with
/// a Cyrillic `а` looks like another name and is none.
pub(super) fn describe(ascii: &str, notes: &mut Vec<String>) {
    if !ascii.split('.').any(|label| label.starts_with("xn--")) {
        return;
    }
    let shown = url::quirks::domain_to_unicode(ascii);
    if shown.is_empty() || shown == ascii {
        return;
    }
    notes.push(format!("{} is sent by browsers as {ascii}", quoted(&shown)));
    for label in shown.split('.') {
        let scripts = mixed(label);
        if !scripts.is_empty() {
            notes.push(format!(
                "warning: {} mixes {} letters, as names that imitate others do; check that it is yours",
                quoted(label),
                scripts.into_iter().collect::<Vec<_>>().join(" and ")
            ));
        }
    }
}

/// The scripts of a label, where it has more than honest names have. Latin beside Han, kana,
/// hangul and bopomofo is ordinary (Unicode UTS #39, section 5.2, "Highly Restrictive").
fn mixed(label: &str) -> BTreeSet<&'static str> {
    let scripts: BTreeSet<_> = label.chars().filter_map(script).collect();
    let ordinary = scripts.len() < 2
        || (scripts.len() == 2 && scripts.contains("East Asian") && scripts.contains("Latin"));
    if ordinary { BTreeSet::new() } else { scripts }
}

/// The script of a letter, by blocks (Unicode `Blocks.txt`), for the scripts that share shapes with
/// Latin or are common in names. The scripts of East Asia count as one, because they are mixed in
/// ordinary words. `None` for digits, marks and all other scripts.
fn script(c: char) -> Option<&'static str> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{00c0}'..='\u{024f}' | '\u{1e00}'..='\u{1eff}' => "Latin",
        '\u{0370}'..='\u{03ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{0400}'..='\u{052f}' => "Cyrillic",
        '\u{0530}'..='\u{058f}' => "Armenian",
        '\u{0590}'..='\u{05ff}' => "Hebrew",
        '\u{0600}'..='\u{06ff}' | '\u{0750}'..='\u{077f}' => "Arabic",
        '\u{0900}'..='\u{097f}' => "Devanagari",
        '\u{0e00}'..='\u{0e7f}' => "Thai",
        '\u{10a0}'..='\u{10ff}' => "Georgian",
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => "Cherokee",
        '\u{1100}'..='\u{11ff}'
        | '\u{3040}'..='\u{312f}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{20000}'..='\u{3134f}' => "East Asian",
        _ => return None,
    })
}
