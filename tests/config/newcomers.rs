//! What somebody writes who has not read the manual, and what each mistake says to write instead.

use super::mistakes;

#[test]
fn a_value_of_the_wrong_sort_is_told_with_what_to_write() {
    let check = |line: &str| format!("[check.a]\n{line}\n");
    let own = |line: &str| format!("[check.a]\nenv = {{ name = \"X\" }}\n{line}\n");
    for (text, hint) in [
        (check("file = { path = \"/tmp\", mode = 644 }"), "a number: write \"0644\""),
        (check("file = { path = \"/tmp\", mode = 0644 }"), "write \"0644\""),
        (check("file = { path = \"/tmp\", exists = \"yes\" }"), "write true"),
        (check("command = \"make test\""), "write { run = [\"make\", \"test\"] }"),
        (check("command = { run = \"make test\" }"), "write [\"make\", \"test\"]"),
        (check("command = { run = \"make | cat\" }"), "write script = \"make | cat\" in its place"),
        (check("command = { run = [\"true\"], exit = \"0\" }"), "write 0"),
        (check("env = \"HOME\""), "write { name = \"HOME\" }"),
        (check("process = { name = \"node\", count = \"1\" }"), "write { min = 1 }"),
        (check("listener = { port = 80 }"), "here that is `address = \"127.0.0.1:4321\"`"),
        (own("fix = { run = [\"true\"] }"), "add safety = \"risky\"; or \"safe\""),
        (own("fix = \"make x\""), "write { run = [\"make\", \"x\"], safety = \"risky\" }"),
        (own("needs = \"b\""), "write [\"b\"]"),
        (own("timeout = 5"), "write \"5s\""),
        (own("timeout = true"), "this is true or false"),
        (own("severity = off"), "write \"off\""),
        ("[check.log-size]\nenabled = false\n".to_owned(), "here that is `severity = \"off\"`"),
        ("[serve]\nrun = \"npm run dev\"\n".to_owned(), "write [\"npm\", \"run\", \"dev\"]"),
        ("[serve]\nlisten = 4321\n".to_owned(), "write \"127.0.0.1:4321\""),
        ("[mirror]\ninstall = \"npm ci && date\"\n".to_owned(), "write [\"sh\", \"-c\", \"npm ci && date\"]"),
        ("[page]\npath = \"/\"\n".to_owned(), "a section: write [[page]]"),
        ("[[page]]\nstatus = \"200\"\n".to_owned(), "write 200"),
        ("[[check]]\nname = \"a\"\n".to_owned(), "a list: write [check.NAME]"),
        ("[check]\nname = \"a\"\n".to_owned(), "write [check.NAME]"),
        ("[service]\nlabel = \"a\"\n".to_owned(), "write [service.NAME]"),
        ("[runtime]\nnode = 22\n".to_owned(), "a number: write \"22\""),
        (
            "[[accept]]\ncheck = \"a\"\nreason = \"b\"\nuntil = \"2027-01-01\"\n".to_owned(),
            "write 2027-01-01",
        ),
        ("include = \"x.toml\"\n".to_owned(), "write [\"x.toml\"]"),
    ] {
        let told = mistakes(&text);
        assert!(told.contains(hint) && told.contains("━"), "{text}\n{told}");
    }
}

#[test]
fn a_secret_is_in_no_hint() {
    let text = "[check.a]\nhttp = { url = \"http://a/\", user = \"u\", password = \"hunter2\", page = 1 }\n";
    let told = mistakes(text);
    assert!(!told.contains("hunter2"), "{told}");
    let text = "[check.a]\nhttp = { password = \"hunter2\" }\n[check]\npassword = \"hunter2\"\n";
    let told = mistakes(text);
    assert!(!told.contains("hunter2"), "{told}");
}
