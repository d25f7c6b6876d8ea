//! `json` and `json-says` of a text: what a program, a file or a page says in JSON.

use crate::world::World;

const SAID: &str = r#"{"up": true, "name": "web one", "n": 3, "items": [{"n": 1}, {"n": 2}], "none": null}"#;

#[test]
fn values_of_a_text_are_judged_by_their_paths() {
    let world = World::new();
    world.home.write("said.json", SAID);
    world.home.write("plain.txt", "none");
    let look = |file: &str, said: &str| {
        let question = format!("file = {{ path = '{file}', content = {{ {said} }} }}");
        world.look(&format!("{question}\n[variables]\nWHO = 'web'"))
    };
    for good in [
        "json = { up = true, 'items[1].n' = 2, n = 3.0 }",
        "json-says = { name = { contains = ['web'], absent = ['two'] }, n = { number = { min = 3 } } }",
        "json-says = { 'items[*].n' = { number = { below = 3 } }, none = {} }",
        "json = { n = 3 }, contains = ['one']",
        "json = { name = '${WHO} one', items = [{ n = 1 }, { n = 2 }] }",
    ] {
        assert_eq!(look("said.json", good), "pass", "{good}");
    }
    for (bad, told) in [
        ("json = { n = 4 }", "fail: `$.n` of ~/said.json is another; expected 4; actual 3"),
        ("json = { m = 4 }", "fail: ~/said.json has no `$.m`; expected 4"),
        ("json-says = { m = {} }", "fail: ~/said.json has no `$.m`"),
        (
            "json-says = { name = { matches = ['^one'] } }",
            "fail: `$.name` of ~/said.json does not match a pattern; expected ^one; actual web one",
        ),
        (
            "json-says = { 'items[*].n' = { number = { max = 1 } } }",
            "fail: `$.items[*].n` of ~/said.json is a number out of range; expected at most 1; actual 2",
        ),
    ] {
        let seen = look("said.json", bad);
        assert!(seen.starts_with(told), "{bad}: {seen}");
    }
    assert_eq!(look("plain.txt", "json = { n = 3 }"), "fail: ~/plain.txt is no JSON; actual none");
    let told = world
        .look(&format!("command = {{ run = ['cat', 'said.json'], stdout = {{ {} }} }}", "json = { n = 3 }"));
    assert_eq!(told, "pass");
    let told = world.look("command = { run = ['cat', 'said.json'], stdout = { json = { n = 5 } } }");
    assert!(told.starts_with("fail: `$.n` of its output is another; expected 5; actual 3"), "{told}");
}

#[test]
fn what_makes_no_sense_is_told() {
    let world = World::new();
    for (said, told) in [
        ("json = { 'a[' = 1 }", "`a[` is no JSON path"),
        ("json-says = { 'a[' = {} }", "`a[` is no JSON path"),
        ("json-says = { a = { contain = [] } }", "unknown key `contain`"),
        ("json-says = { a = { number = {} } }", "nothing is asked of the number"),
        ("json = {}", "nothing is asked of the text"),
        ("json = { a = ['${NOT_SET}'] }", "the variable `NOT_SET` is not set"),
    ] {
        let mistakes = world.mistakes(&format!("file = {{ path = 'x', content = {{ {said} }} }}"));
        assert!(mistakes.contains(told), "{said}: {mistakes}");
    }
    for (exit, told) in [
        ("{ min = 0 }", "every exit code is right"),
        ("{ above = 255 }", "no exit code is right"),
        ("[]", "no exit code is right"),
        ("'0'", "expected [0, 1], or { min, max, above, below }"),
    ] {
        let mistakes = world.mistakes(&format!("command = {{ run = ['true'], exit = {exit} }}"));
        assert!(mistakes.contains(told), "{exit}: {mistakes}");
    }
}
