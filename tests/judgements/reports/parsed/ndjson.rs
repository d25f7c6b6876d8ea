//! Lines of JSON, read by serde: each has its type, and the units are those of the JSON report, key by key.

use housecall::report::ndjson::{Line, render, schema};
use housecall::report::{Report, json};
use serde_json::Value;

use super::{Read, agrees, exit_of, shown};

fn read(text: &str, report: &Report) -> Read {
    let whole: Value = serde_json::from_str(&json::render(report)).expect("the JSON report");
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect();
    for line in text.lines() {
        serde_json::from_str::<Line>(line).expect("a line of the promised shape");
    }
    let last = lines.pop().expect("a last line");
    assert_eq!(last["type"], "summary");
    for key in ["verdict", "counts", "causes", "took_ms"] {
        assert_eq!(last[key], whole[key], "{key}");
    }
    let first = lines.remove(0);
    assert_eq!((&first["type"], &first["schema"]), (&"report".into(), &"housecall.lines/1".into()));
    for key in ["tool", "mirror", "at", "fail_on"] {
        assert_eq!(first[key], whole[key], "{key}");
    }
    let take = |line: &mut Value, kind: &str| {
        let line = line.as_object_mut().expect("an object");
        (line.remove("type").expect("a type") == kind).then(|| Value::Object(line.clone()))
    };
    let checks = whole["checks"].as_array().expect("checks");
    let mut units = Vec::new();
    let mut judged = Vec::new();
    for (line, check) in lines.iter_mut().zip(checks) {
        let mut unit = take(line, "unit").expect("units stand first");
        let name = unit.as_object_mut().expect("an object").remove("unit").expect("its name");
        assert_eq!(unit, *check);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        units.push((shown(name.as_str().expect("a text")), word(&unit["status"])));
        let counts = unit["accepted"].is_null();
        let settled =
            if counts || unit["status"] != "fail" { word(&unit["status"]) } else { "accepted".into() };
        judged.push((word(&unit["severity"]), settled, counts && unit["seen"]["status"] == "fail"));
    }
    let repairs: Vec<Value> =
        lines[checks.len()..].iter_mut().map(|line| take(line, "repair").expect("then repairs")).collect();
    assert_eq!(Value::from(repairs), whole["repairs"]);
    let exit = if last["verdict"] == "stopped" {
        1
    } else {
        exit_of(&judged, first["fail_on"].as_str().unwrap_or_default())
    };
    assert_eq!(last["exit"], exit);
    Read { units, exit }
}

#[test]
fn ndjson_says_what_the_json_says() {
    agrees(render, read);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads and regenerates a file of the project")]
fn the_published_schema_of_the_lines_is_the_real_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/lines.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, schema()).expect("write the schema");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == schema(), "schema/lines.json is old: run the tests with UPDATE_DOCS=1");
}
