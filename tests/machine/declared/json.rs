//! `json` and `json-says` of a text: what a program, a file or a page says in JSON.

use super::world::World;

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

/// The elements of a list are its lines, and its length is how many there are.
#[test]
fn of_a_list_its_elements_are_judged() {
    let world = World::new();
    world
        .home
        .write("said.json", r#"{"t": ["x", "web one", 7], "e": [], "s": "x\ny", "n": 3, "m": {"a": "b"}}"#);
    let look = |said: &str| {
        world.look(&format!("file = {{ path = 'said.json', content = {{ json-says = {{ {said} }} }} }}"))
    };
    for good in [
        "t = { lines = ['^web', '^7$'], no-line = ['^y$'], length = 3 }",
        "t = { length = { min = 2 }, matches = ['^web one$'], no-match = ['^web$'] }",
        "t = { matches = ['x\\nweb'] }",
        "e = { length = 0, no-line = ['x'] }",
        "m = { length = 1, lines = ['^b$'] }",
        "s = { length = 3, lines = ['^y$'] }",
        "'t[?@ == \"x\"]' = {}",
    ] {
        assert_eq!(look(good), "pass", "{good}");
    }
    for (bad, told) in [
        (
            "t = { lines = ['^one'] }",
            "fail: `$.t` of ~/said.json has no element that matches a pattern; expected ^one",
        ),
        (
            "t = { no-line = ['^x'] }",
            "fail: `$.t` of ~/said.json has an element that matches a pattern it must not",
        ),
        ("t = { no-match = ['^web one$'] }", "fail: `$.t` of ~/said.json matches a pattern that it must not"),
        ("t = { no-match = ['x\\nweb'] }", "fail: `$.t` of ~/said.json matches a pattern that it must not"),
        ("t = { matches = ['^one$'] }", "fail: `$.t` of ~/said.json does not match a pattern"),
        ("m = { no-match = ['^b$'] }", "fail: `$.m` of ~/said.json matches a pattern that it must not"),
        ("t = { length = 2 }", "fail: `$.t` of ~/said.json is 3 elements long; expected 2 elements"),
        (
            "t = { length = { above = 3 } }",
            "fail: `$.t` of ~/said.json is 3 elements long; expected more than 3 elements",
        ),
        ("t = { number = { min = 0 } }", "fail: `$.t` of ~/said.json is no number"),
        // A number has no elements, so that nothing is known of them.
        ("n = { no-line = ['x'] }", "fail: `$.n` of ~/said.json is no list; actual 3"),
        ("n = { length = 1 }", "fail: `$.n` of ~/said.json is no list; actual 3"),
        ("'t[?@ == \"y\"]' = {}", "fail: ~/said.json has no `$.t[?@=='y']`"),
    ] {
        let seen = look(bad);
        assert!(seen.starts_with(told), "{bad}: {seen}");
    }
    let mistakes = world.mistakes(
        "file = { path = 'said.json', content = { json-says = { t = { length = { min = 0 } } } } }",
    );
    assert!(mistakes.contains("every text is so long"), "{mistakes}");
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
