//! The schema that is published is the schema of what is written.

use std::path::Path;

use housecall::report::{Report, json, ndjson};
use serde_json::Value;
use support::Schema;

use super::chance::{each, each_hostile};
use super::given::{healthy, report};

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads and regenerates a file of the project")]
fn the_published_schema_is_the_real_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/report.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, json::schema()).expect("write the schema");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == json::schema(), "schema/report.json is old: run the tests with UPDATE_DOCS=1");
}

#[test]
fn a_report_survives_being_written_and_read() {
    let mut report = report(healthy());
    let read: Report = serde_json::from_str(&json::render(&report)).expect("a report");
    report.about = housecall::report::About::default();
    assert_eq!(read, report);
}

#[test]
fn keys_keep_the_order_that_was_promised() {
    let value: serde_json::Value = serde_json::from_str(&json::render(&report(healthy()))).expect("JSON");
    let keys = |value: &serde_json::Value| {
        value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&value), "schema tool mirror at took_ms verdict fail_on counts causes checks repairs");
    assert_eq!(keys(&value["mirror"]), "name config host os");
    assert_eq!(keys(&value["counts"]), "pass fail warn info skip pending blocked unknown accepted");
    assert_eq!(
        keys(&value["checks"][0]),
        "id subject group summary severity status seen message evidence blocked_by fix took_ms tags accepted"
    );
}

#[test]
fn every_report_is_what_the_published_schemas_promise() {
    let (whole, line) = (Schema::published("report.json"), Schema::published("lines.json"));
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let promised = |report: &Report| {
        whole.accepts(&read(&json::render(report))).unwrap_or_else(|why| panic!("{why}\n{report:?}"));
        for text in ndjson::render(report).lines() {
            line.accepts(&read(text)).unwrap_or_else(|why| panic!("{why}\n{text}"));
        }
    };
    let (mut hostile, mut plain) = (0, 0);
    each_hostile(|report| {
        hostile += 1;
        if hostile % 10 == 0 {
            promised(report);
        }
    });
    each(|_, report| {
        plain += 1;
        if plain % 50 == 0 {
            promised(report);
        }
    });
}

#[test]
fn the_published_schema_refuses_what_is_no_report() {
    let whole = Schema::published("report.json");
    let good: Value = serde_json::from_str(&json::render(&report(healthy()))).expect("JSON");
    whole.accepts(&good).expect("a report");
    for (place, wrong) in [
        ("/verdict", Value::from("green")),
        ("/at", Value::from("yesterday")),
        ("/checks/0/status", Value::Null),
        ("/counts/pass", Value::from(-1)),
        ("/checks", Value::from("all")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).expect("it is there") = wrong;
        assert!(whole.accepts(&bad).is_err(), "{place}");
    }
}
