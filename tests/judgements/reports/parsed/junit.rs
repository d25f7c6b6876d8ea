//! `JUnit`, read by an XML parser that refuses what is not well-formed.

use housecall::report::Report;
use housecall::report::junit::render;
use roxmltree::{Document, Node};

use super::{Read, agrees};

fn children<'a, 'b: 'a>(node: Node<'a, 'b>, name: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children().filter(move |it| it.has_tag_name(name))
}

fn property(node: Node<'_, '_>, name: &str) -> Option<String> {
    let mut all = children(node, "properties").flat_map(|it| children(it, "property").collect::<Vec<_>>());
    all.find(|it| it.attribute("name") == Some(name)).and_then(|it| it.attribute("value")).map(str::to_owned)
}

fn read(text: &str, report: &Report) -> Read {
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let suites: Vec<_> = children(root, "testsuite").collect();
    let [suite] = suites.as_slice() else { panic!("one suite\n{text}") };
    let (mut units, mut cases, mut failures, mut errors, mut skipped) = (Vec::new(), 0, 0, 0, 0);
    for case in children(*suite, "testcase") {
        let has = |name| usize::from(children(case, name).next().is_some());
        let (failure, error, skip) = (has("failure"), has("error"), has("skipped"));
        assert!(failure + error + skip <= 1, "{text}");
        (cases, failures, errors, skipped) = (cases + 1, failures + failure, errors + error, skipped + skip);
        if case.attribute("classname") == Some("housecall") {
            assert_eq!((case.attribute("name"), failure + error), (Some("verdict"), 1));
            continue;
        }
        let status = property(case, "status").expect("a status");
        assert_eq!(status == "pass", failure + error + skip == 0, "only a pass is plain green\n{text}");
        units.push((case.attribute("name").expect("a name").to_owned(), status));
    }
    for node in [root, *suite] {
        let count = |name| node.attribute(name).and_then(|it| it.parse::<usize>().ok()).expect("a count");
        assert_eq!(
            [count("tests"), count("failures"), count("errors"), count("skipped")],
            [cases, failures, errors, skipped]
        );
    }
    assert_eq!(property(*suite, "verdict"), Some(report.verdict.to_string()));
    let exit = match (failures, errors) {
        (0, 0) => 0,
        (0, _) => 3,
        _ => 1,
    };
    Read { units, exit }
}

#[test]
fn junit_says_what_the_json_says() {
    agrees(render, read);
}
