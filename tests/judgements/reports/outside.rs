//! What comes from outside does nothing to the terminal, in any format.

use housecall::config::{Mistake, Mistakes};
use housecall::lint::{Place, lint, render};
use housecall::report::human::{self, Detail, View};
use housecall::report::words::{Colours, harmless, is_dangerous};
use housecall::report::{Report, json};
use housecall::verdict::{Fact, Verdict};

use super::given::{but, human, report};

/// Clears the screen, rings, sets the title, turns the text around, opens a C1 sequence.
const NASTY: &str = "a\u{1b}[2Jb\u{7}c\u{1b}]0;owned\u{7}d\u{202e}e\u{9b}31mf\rg\u{7f}";

fn nasty() -> Report {
    let finding = Verdict::fail(format!("the page says {NASTY}"))
        .with("actual", NASTY)
        .with("where", Fact::Url(NASTY.into()))
        .with("who", Fact::Command(NASTY.into()))
        .with("file", std::path::PathBuf::from(NASTY));
    let mut report = report(but(vec![
        ("worktree-clean", finding.into()),
        ("canonical-repo", Verdict::pass_with(NASTY).into()),
        ("page-sha", Verdict::not_applicable(NASTY).into()),
    ]));
    NASTY.clone_into(&mut report.mirror.name);
    report
}

#[test]
fn no_control_character_reaches_the_terminal() {
    for detail in [Detail::LastLine, Detail::Normal, Detail::Everything] {
        let text = human::render(&nasty(), &View { detail, ..View::default() });
        let bad = text.chars().find(|it| *it != '\n' && (it.is_control() || *it == '\u{202e}'));
        assert_eq!(bad, None, "{text:?}");
    }
    assert!(human(&nasty()).contains("\\u{1b}"), "what was there is still told");
}

#[test]
fn neither_a_linted_file_nor_a_mistaken_configuration_steers_the_terminal() {
    let bytes = format!("<plist>\n<dict><key>{NASTY}</key></dict></plist>").into_bytes();
    let findings = lint(NASTY, &bytes, &Place::Elsewhere).expect("findings");
    let linted = render::human(&[render::File { path: NASTY.into(), findings, bytes }], false);
    assert!(linted.contains("Value missing"), "{linted}");
    let text = format!("name = 'é{NASTY}'\nnome = 1");
    let mistakes = Mistakes {
        file: NASTY.into(),
        mistakes: vec![Mistake::new(NASTY, 8..text.len(), NASTY), Mistake::new("last", text.len()..9, "")],
        text,
    };
    for text in [linted, mistakes.render(false)] {
        let bad = text.chars().find(|it| *it != '\n' && is_dangerous(*it));
        assert_eq!(bad, None, "{text:?}");
    }
}

#[test]
fn json_escapes_them_and_loses_nothing() {
    let text = json::render(&nasty());
    let bad = text.chars().find(|it| *it != '\n' && (it.is_control() || *it == '\u{202e}'));
    assert_eq!(bad, None, "{text:?}");
    let read: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
    assert_eq!(read["mirror"]["name"], NASTY);
}

#[test]
fn several_lines_of_evidence_stay_beside_their_label() {
    let finding = Verdict::fail("git refuses").with("git says", "fatal: one\nhint: two");
    let text = human(&report(but(vec![("worktree-clean", finding.into())])));
    assert!(text.contains("        git says  fatal: one\n                  hint: two\n"), "{text}");
}

#[test]
fn a_line_of_a_log_keeps_its_colours_at_most() {
    let line = "\u{1b}[1;31mred\u{1b}[0m \u{1b}]52;c;c3VkbyByZWJvb3Q=\u{7}ok\u{1b}[2J\tend\u{1b}[?1049h";
    assert_eq!(harmless(line, Colours::Kept), "\u{1b}[1;31mred\u{1b}[0m ok\tend");
    assert_eq!(harmless(line, Colours::Dropped), "red ok\tend");
    assert_eq!(harmless(NASTY, Colours::Kept), "abcde31mfg");
    for torn in ["\u{1b}", "\u{1b}[", "\u{1b}]0;title", "\u{1b}[31", "\u{1b}é"] {
        assert_eq!(harmless(torn, Colours::Kept), "", "{torn:?}");
    }
}
