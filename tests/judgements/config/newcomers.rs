//! What somebody writes who has not read the manual, and what each mistake says to write instead.

use support::Home;

use super::mistakes;

#[test]
fn a_value_of_the_wrong_sort_is_told_with_what_to_write() {
    let check = |line: &str| format!("[check.a]\n{line}\n");
    let own = |line: &str| format!("[check.a]\nenv = {{ name = \"X\" }}\n{line}\n");
    for (text, hint) in [
        (check("file = { path = \"/tmp\", mode = 644 }"), "a number: write \"0644\""),
        (check("file = { path = \"/tmp\", mode = 0644 }"), "write \"0644\""),
        (check("file = { path = \"/tmp\", mode = 0o644 }"), "a number: write \"0644\""),
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
        (own("timeout = 1.5"), "write \"1500ms\""),
        (own("severity = off"), "write \"off\""),
        ("[check.log-size]\nenabled = false\n".to_owned(), "here that is `severity = \"off\"`"),
        (
            "[check.log-size]\nenabled = true\n".to_owned(),
            "leave it out: a check is examined unless `severity = \"off\"`",
        ),
        ("[check.log-size]\ndisabled = true\n".to_owned(), "here that is `severity = \"off\"`"),
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
    let serve = |line: &str| format!("[serve]\nlisten = \"127.0.0.1:4321\"\n{line}\n");
    let http = |keys: &str| format!("[check.a]\nhttp = {{ url = \"http://a/\", {keys} }}\n");
    for (text, hint) in [
        (http("user = \"u\", password = \"Hunter2xyz\", page = 1"), "this is a number"),
        (
            "[check.a]\nhttp = { password = \"Hunter2xyz\" }\n[check]\npassword = \"Hunter2xyz\"\n"
                .to_owned(),
            "",
        ),
        (serve("env = { API_TOKEN = Hunter2xyz }"), "write it in quotes"),
        (serve("env = { PLAIN = Hunter2xyz }"), "write it in quotes"),
        ("[serve.env]\nPLAIN = Hunter2xyz\n".to_owned(), "write it in quotes"),
        (serve("env = { API_TOKEN = 98765432101234 }"), "write it in quotes"),
        (serve("env = { PLAIN = 98765432101234 }"), "write it in quotes"),
        (serve("run = \"node x.js --token Hunter2xyz99\""), "write [\"program\", \"argument\"]"),
        (
            "[check.a]\ncommand = { run = \"curl -u admin:Hunter2xyz99 http://x\" }\n".to_owned(),
            "[\"program\",",
        ),
        ("[check.a]\ncommand = \"curl -u admin:Hunter2xyz99 http://x\"\n".to_owned(), "run = [\"program\","),
        (http("user = \"u\", password = 98765432101234"), "write it in quotes"),
        (http("user = \"u\", password = Hunter2xyz"), "write it in quotes"),
        (http("headers = { Authorization = 98765432101234 }"), "write it in quotes"),
        (http("headers = { X-Api-Key = 98765432101234 }"), "write it in quotes"),
        (http("headers = { X-Team = 98765432101234 }"), "write it in quotes"),
        (http("headers = { X-Team = Hunter2xyz }"), "write it in quotes"),
    ] {
        let home = Home::new();
        home.write("housecall.toml", &text);
        let ran = home.housecall(["checks"]).exits(2);
        let inner = mistakes(&text);
        // What redaction does not know by its shape is not shown either.
        for told in [&ran.stderr, &inner] {
            assert!(told.contains(hint) && told.contains("━"), "{text}\n{told}");
        }
        // The value of a plain variable stands in its own line, and there only.
        let shown = usize::from(text.contains("PLAIN"));
        for secret in ["Hunter2xyz", "98765432101234"] {
            assert!(ran.stderr.matches(secret).count() <= shown, "{text}\n{}", ran.stderr);
        }
    }
}
