//! The schema that is published is the schema of what is written.

use std::path::Path;

use housecall::report::{Report, json};

use crate::given::{healthy, report};

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
