//! Prometheus' text format 0.0.4, read by a strict parser: families whole and in one place, no series twice.

use std::collections::{BTreeMap, BTreeSet};

use housecall::report::Report;
use housecall::report::prometheus::render;

use super::{Read, agrees, exit_of};

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
}

fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_once('{').expect("labels");
    assert!(is_name(name), "{line}");
    let (mut labels, mut characters) = (BTreeMap::new(), rest.chars());
    loop {
        let label: String = characters.by_ref().take_while(|it| *it != '=').collect();
        assert!(is_name(&label), "{label:?} in {line}");
        assert_eq!(characters.next(), Some('"'), "{line}");
        let mut value = String::new();
        loop {
            match characters.next().expect("an end of the label") {
                '"' => break,
                '\\' => value.push(match characters.next() {
                    Some('n') => '\n',
                    Some(escaped @ ('\\' | '"')) => escaped,
                    other => panic!("an escape of {other:?} in {line}"),
                }),
                other => value.push(other),
            }
        }
        assert!(labels.insert(label, value).is_none(), "a label twice in {line}");
        match characters.next() {
            Some(',') => {}
            Some('}') => break,
            other => panic!("{other:?} after a label in {line}"),
        }
    }
    let value = characters.as_str().strip_prefix(' ').expect("a space").parse().expect("a number");
    Sample { name: name.to_owned(), labels, value }
}

fn samples(text: &str) -> Vec<Sample> {
    assert!(text.ends_with('\n'));
    let (mut families, mut series, mut samples) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let (mut helped, mut current) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            help.split(' ').next().unwrap_or_default().clone_into(&mut helped);
            assert!(families.insert(helped.clone()), "{helped} stands in two places");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{helped} gauge"));
            current.clone_from(&helped);
        } else {
            let sample = sample(line);
            assert_eq!(sample.name, current);
            assert!(series.insert((sample.name.clone(), sample.labels.clone())), "{line} stands twice");
            samples.push(sample);
        }
    }
    samples
}

fn read(text: &str, report: &Report) -> Read {
    let samples = samples(text);
    let mirrors: BTreeSet<_> = samples.iter().map(|it| it.labels["mirror"].clone()).collect();
    assert_eq!(mirrors.len(), 1, "{text}");
    let of = |name: &'static str| samples.iter().filter(move |it| it.name == name);
    let one = |name| of(name).map(|it| it.value).next().expect("a value");
    let verdicts: Vec<_> =
        of("housecall_verdict").filter(|it| it.value > 0.5).map(|it| it.labels["verdict"].clone()).collect();
    assert_eq!(verdicts, [report.verdict.to_string()]);
    let fail_on = &of("housecall_info").next().expect("who says so").labels["fail_on"];
    let mut units = Vec::new();
    let mut judged = Vec::new();
    for it in of("housecall_check_status") {
        let label = |name: &str| it.labels[name].clone();
        let unit = match label("subject").as_str() {
            "" => label("id"),
            subject => format!("{}:{subject}", label("id")),
        };
        // A label keeps its white space.
        units.push((unit.split_whitespace().collect::<Vec<_>>().join(" "), label("status")));
        let counts = label("accepted") == "false";
        let settled = if counts || label("status") != "fail" { label("status") } else { "accepted".into() };
        judged.push((label("severity"), settled, counts && label("seen") == "fail"));
    }
    let count = |status: &str| {
        let failures = ["fail", "warn", "info"].contains(&status);
        let severity = match status {
            "warn" => "warning",
            "info" => "info",
            _ => "error",
        };
        judged
            .iter()
            .filter(|(of, is, _)| if failures { is == "fail" && of == severity } else { is == status })
            .count()
    };
    for it in of("housecall_checks") {
        let counted = u32::try_from(count(&it.labels["status"])).expect("few");
        assert!((it.value - f64::from(counted)).abs() < 0.5, "{text}");
    }
    let exit = if verdicts == ["stopped"] { 1 } else { exit_of(&judged, fail_on) };
    assert!((one("housecall_exit_code") - f64::from(exit)).abs() < 0.5);
    assert_eq!(one("housecall_healthy") > 0.5, exit == 0);
    Read { units, exit }
}

#[test]
fn prometheus_says_what_the_json_says() {
    agrees(render, read);
}
