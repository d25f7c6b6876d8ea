//! A configuration's text: whatever it holds, it is taken or refused soon, within bounds, in words that do no harm.

use std::collections::BTreeMap;
use std::path::Path;

use housecall::config::{Config, ConfigError, Limits, Surroundings};
use housecall::report::words::is_dangerous;

use super::world::WICKED;

fn read(text: &str) -> Result<Config, ConfigError> {
    let home = Path::new("/nobody/home");
    let surroundings = Surroundings {
        home: home.into(),
        directory: home.into(),
        environment: BTreeMap::from([("HOME".to_owned(), "/nobody/home".to_owned())]),
        odd: [].into(),
        uid: 501,
    };
    Config::of_text(text, &home.join(".config/housecall/site.toml"), &surroundings, Limits::default())
}

/// It is refused, in a text that is short and harmless.
#[track_caller]
fn refused(text: &str) -> String {
    let error = read(text).expect_err("it is refused");
    let told = error.render(false);
    let found = told.chars().find(|it| *it != '\n' && is_dangerous(*it));
    assert!(found.is_none(), "{found:?} reaches the terminal: {told:?}");
    assert!(told.len() < 256 << 10, "{} bytes are told", told.len());
    told
}

const LONG: usize = 10 << 20;

#[test]
fn a_line_of_ten_megabytes_is_read_and_what_is_wrong_in_it_is_told_shortly() {
    let long = "x".repeat(LONG);
    let _ = read(&format!("name = \"{long}\"\n"));
    refused(&format!("name = 7 # {long}"));
    refused(&format!("{long} = 1\n"));
    refused(&format!("name = \"{long}"));
    refused(&format!("[check.{long}]\ncommand = {{ run = [\"true\"] }}\n"));
    refused(&format!("[check.a]\nseverity = \"{long}\"\ncommand = {{ run = [\"true\"] }}\n"));
    refused(&format!("[mirror]\nrepository = \"/a\"\nevery = \"{}s\"\n", "9".repeat(LONG)));
    refused(&format!("[runtime]\nnode = \"{}\"\n", ">=1 ".repeat(LONG / 64) + "x y z"));
}

#[test]
fn many_mistakes_are_told_in_part() {
    let text: String =
        (0..20_000_u32).map(|at| ["[check.a", &at.to_string(), "]\nsevrity = \"x\"\n"].concat()).collect();
    refused(&text);
    let text: String =
        (0..20_000_u32).map(|at| ["[check.a", &at.to_string(), "]\nseverity = \"x\"\n"].concat()).collect();
    refused(&text);
}

#[test]
fn what_is_nested_deeply_is_refused_and_ends_nothing() {
    for (open, close) in [("[", "]"), ("{ a = ", " }")] {
        let deep = format!("x = {}1{}", open.repeat(100_000), close.repeat(100_000));
        refused(&deep);
    }
    refused(&format!("{} = 1", vec!["a"; 100_000].join(".")));
    refused(&format!("[{}]", vec!["a"; 100_000].join(".")));
    let groups = "(".repeat(20_000) + &")".repeat(20_000);
    refused(&format!("[[page]]\nurl = \"http://127.0.0.1/\"\nmatches = ['{groups}']\n"));
}

#[test]
fn an_expression_too_large_to_compile_is_refused() {
    for pattern in ["(?:a{1000}){1000}", r"\w{100000}", r"(?:\pL{1000}){1000}"] {
        refused(&format!("[[page]]\nurl = \"http://127.0.0.1/\"\nmatches = ['{pattern}']\n"));
        refused(&format!(
            "[check.a]\ncommand = {{ run = [\"x\"], stdout = {{ matches = ['{pattern}'] }} }}\n"
        ));
    }
}

#[test]
fn numbers_without_measure_are_refused() {
    for every in ["18446744073709551616s", "99999999999999999999h", "1e9s", "-1s", "0s"] {
        refused(&format!("[mirror]\nrepository = \"/a\"\nevery = \"{every}\"\n"));
    }
    refused("[check.a]\ntimeout = \"99999h\"\ncommand = { run = [\"x\"] }\n");
    refused("[[page]]\nurl = \"http://127.0.0.1/\"\nstatus = 99999999999\n");
    refused("[[accept]]\ncheck = \"a\"\nreason = \"b\"\nuntil = 99999-12-31\n");
}

#[test]
fn variables_do_not_multiply() {
    let long = "x".repeat(1 << 20);
    let many = "${a}".repeat(1 << 16);
    let told = refused(&format!(
        "[variables]\na = \"{long}\"\n[check.a]\ncommand = {{ run = [\"echo\", \"{many}\"] }}\n"
    ));
    assert!(told.contains("longer than"), "{told}");
    // Nor in many places, each of which is short enough.
    let checks: String = (0..5_000_u32)
        .map(|at| ["[check.c", &at.to_string(), "]\ncommand = { run = [\"echo\", \"${a}\"] }\n"].concat())
        .collect();
    refused(&format!("[variables]\na = \"{}\"\n{checks}", "x".repeat(512 << 10)));
    // A value is no variable again.
    let config =
        read("[variables]\na = \"$${b}\"\nb = \"$${a}\"\n[check.a]\ncommand = { run = [\"${a}\"] }\n");
    assert!(config.is_ok(), "{config:?}");
}

#[test]
fn a_name_is_what_it_looks_like() {
    let check = |name: &str| format!("[check.\"{name}\"]\ncommand = {{ run = [\"true\"] }}\n");
    for name in [
        "a\\u001B[31m",
        "a\\u202Eb",
        "a\\u200Bb",
        "a\\nb",
        "a b",
        "a:b",
        "-a",
        "../a",
        "a/b",
        "a\\u0000b",
        "",
    ] {
        refused(&check(name));
    }
    // Two that look the same are one: composed and decomposed, full width, ligatures.
    for (one, other) in [
        ("é", "e\u{301}"),
        ("Å", "\u{212b}"),
        ("가", "\u{1100}\u{1161}"),
        ("fi", "\u{fb01}"),
        ("a", "\u{ff41}"),
    ] {
        refused(&format!("{}{}", check(&format!("x{one}")), check(&format!("x{other}"))));
    }
    assert!(read(&check("prüfung-été")).is_ok(), "letters of any language name a check");
}

#[test]
fn no_other_name_leaves_its_place_or_steers_the_terminal() {
    let escaped: String =
        WICKED.chars().flat_map(|it| ["\\u".to_owned(), format!("{:04X}", u32::from(it))]).collect();
    refused(&format!("name = \"{escaped}\"\n"));
    for name in ["..", "a/b", "", "../a"] {
        refused(&format!("name = \"{name}\"\n"));
    }
    for label in ["../../x", "a/b", "a\\nb", "-rf", "", &escaped] {
        refused(&format!("[jobs]\nlabel = \"{label}\"\n"));
        refused(&format!("[jobs]\nlabels = {{ serve = \"{label}\" }}\n"));
        refused(&format!("[service.a]\nlabel = \"{label}\"\n"));
        refused(&format!("[service.a]\nunit = \"{label}\"\n"));
    }
    for name in ["a b", &escaped, ""] {
        refused(&format!("[service.\"{name}\"]\nlabel = \"a\"\n"));
    }
    for tool in ["../node", "/bin/sh", "-v", "a b", &escaped] {
        refused(&format!("[runtime]\n\"{tool}\" = \">=1\"\n"));
    }
    for carried in ["../x", "/etc/passwd", ".git/config", "a/../../b", ".GIT/config", "a/.git/hooks/x", ""] {
        refused(&format!("[mirror]\nrepository = \"/a\"\ncarry = [\"{carried}\"]\n"));
    }
    for branch in ["--upload-pack=x", "-x", "a..b", "a b", "a\\nb", "@{-1}", "a.lock", &escaped] {
        refused(&format!("[mirror]\nrepository = \"/a\"\nbranch = \"{branch}\"\n"));
        refused(&format!("[mirror]\nrepository = \"/a\"\nupstream = \"origin/{branch}\"\n"));
        refused(&format!("[mirror]\nrepository = \"/a\"\nupstream = \"{branch}/main\"\n"));
    }
}
