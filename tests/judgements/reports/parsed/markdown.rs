//! Markdown, read by a parser of `CommonMark` with GitHub's additions: nothing from outside is more than code.

use housecall::report::Report;
use housecall::report::markdown::{render, render_within};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{Read, agrees, exit_of};

#[derive(Debug, Default)]
struct Item {
    strong: String,
    codes: Vec<String>,
    words: String,
    block: String,
}

fn read(text: &str, report: &Report) -> Read {
    let (mut items, mut heading, mut summary) = (Vec::<Item>::new(), String::new(), String::new());
    let (mut in_strong, mut in_heading, mut in_block, mut depth) = (false, false, false, 0);
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::Heading { .. }) => in_heading = true,
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::Item) => {
                depth += 1;
                assert_eq!(depth, 1, "a list in a list\n{text}");
                items.push(Item::default());
            }
            Event::End(TagEnd::Item) => depth -= 1,
            Event::Start(Tag::Strong) => in_strong = true,
            Event::End(TagEnd::Strong) => in_strong = false,
            Event::Start(Tag::CodeBlock(_)) => in_block = true,
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::Code(code) => items.last_mut().expect("an item").codes.push(code.into_string()),
            Event::Text(words) if in_block && depth == 1 => {
                items.last_mut().expect("an item").block.push_str(&words);
            }
            Event::Text(_) if in_block => {}
            Event::Text(words) if in_heading => heading.push_str(&words),
            Event::Text(words) => {
                // What stands outside of code is ours alone.
                let ours = |it: char| it.is_ascii_alphanumeric() || " .,:()-".contains(it);
                assert!(words.chars().all(ours), "{words:?}\n{text}");
                if let Some(item) = items.last_mut().filter(|_| depth == 1) {
                    let place = if in_strong { &mut item.strong } else { &mut item.words };
                    place.push_str(&words);
                }
            }
            Event::Html(html) => {
                let html = html.trim_end();
                let is_ours =
                    ["<details>", "</details>", ""].contains(&html) || html.starts_with("<summary>");
                assert!(is_ours, "{html:?}\n{text}");
                summary.push_str(html);
            }
            Event::SoftBreak
            | Event::Start(Tag::Paragraph | Tag::List(_) | Tag::HtmlBlock)
            | Event::End(TagEnd::Paragraph | TagEnd::List(_) | TagEnd::HtmlBlock) => {}
            other => panic!("{other:?} is not ours\n{text}"),
        }
    }
    assert!(summary.is_empty() || summary.ends_with("</details>"), "{text}");
    let fail_on = items.iter().find_map(|it| it.words.split_once("fail on ")).expect("fail on").1.to_owned();
    let mut units = Vec::new();
    let mut judged = Vec::new();
    for item in items.iter().filter(|it| !it.strong.is_empty()) {
        let severity =
            item.words.trim_start().trim_start_matches('(').split([',', ')']).next().expect("a severity");
        let saw = item.strong == "blocked" && item.block.lines().any(|it| it.starts_with("saw       fail"));
        units.push((item.codes[0].clone(), item.strong.clone()));
        let counts = !item.words.contains(", accepted");
        let settled =
            if counts || item.strong != "fail" { item.strong.clone() } else { "accepted".to_owned() };
        judged.push((severity.to_owned(), settled, counts && saw));
    }
    assert!(heading.starts_with(&format!("{}: ", report.verdict)), "{text}");
    let exit = if heading.starts_with("stopped: ") { 1 } else { exit_of(&judged, &fail_on) };
    Read { units, exit }
}

#[test]
fn markdown_says_what_the_json_says() {
    agrees(render, read);
}

#[test]
fn what_is_too_long_for_a_summary_is_cut_between_units_and_told() {
    super::super::chance::each_hostile(|report| {
        let whole = render(report);
        for most in [0, whole.len() / 2, whole.len()] {
            let cut = render_within(report, most);
            let own = render_within(report, 0).len();
            assert!(cut.len() <= most.max(own) + 200, "{} of {most}", cut.len());
            let opened = cut.matches("\n<details>\n").count();
            assert_eq!(opened, cut.matches("\n</details>\n").count(), "{cut}");
            assert_eq!(cut == whole, !cut.contains(" more are left out here"), "{cut}");
        }
    });
}
