//! What must hold of the project itself: its files, its registry, its pages, its promises.
#![expect(clippy::disallowed_methods, reason = "these tests read, and regenerate, files of the project")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use housecall::check::{Check, Look};
use housecall::checks;
use housecall::fixes;

/// The most lines a file may have.
const LONGEST: usize = 400;

/// The most binaries of tests, each linked with all that the program is: see `docs/testing.md`.
const MOST_BINARIES: usize = 6;

/// What every page of a check has, in this order.
const HEADINGS: [&str; 4] =
    ["## What it checks", "## Why it matters", "## How it is fixed", "## Look yourself"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file with that extension beneath these directories.
fn files(directories: &[&str], extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending: Vec<PathBuf> = directories.iter().map(|directory| root().join(directory)).collect();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    files(&["src", "tests", "benches", "fuzz"], "rs")
}

/// `path:line` of every line for which this holds.
fn lines_where(paths: &[PathBuf], holds: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        for (number, line) in read(path).lines().enumerate() {
            if holds(path, line) {
                let path = path.strip_prefix(root()).expect("a path of the project");
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

fn assert_none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_file_opens_with_its_reason_and_is_short() {
    let mut wrong = Vec::new();
    for path in sources() {
        let text = read(&path);
        if !text.starts_with("//! ") {
            wrong.push(format!("{} does not open with `//!`", path.display()));
        }
        if text.lines().count() > LONGEST {
            wrong.push(format!("{} has {} lines", path.display(), text.lines().count()));
        }
    }
    assert_none(&wrong, "a file has one reason, said in its first line, and at most 400 lines");
}

#[test]
fn only_main_prints() {
    let printing = |path: &Path, line: &str| {
        let in_main = path.ends_with("src/main.rs") || path.starts_with(root().join("src/main"));
        let code = line.trim_start();
        let macros = [concat!("print", "ln!("), concat!("eprint", "!("), concat!("db", "g!(")];
        let plain = code.starts_with(concat!("print", "!("));
        !in_main && !code.starts_with("//") && (plain || macros.iter().any(|it| code.contains(it)))
    };
    assert_none(&lines_where(&files(&["src"], "rs"), printing), "only main.rs prints");
}

#[test]
fn nothing_is_allowed_ignored_or_left_undone() {
    let words = [
        concat!("#[", "allow("),
        concat!("#![", "allow("),
        concat!("#[", "ignore"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
    ];
    let undone = |_: &Path, line: &str| words.iter().any(|word| line.contains(word));
    assert_none(&lines_where(&sources(), undone), "use #[expect(…, reason = …)], or do it");
}

#[test]
fn a_crashed_look_is_a_result_in_a_release_too() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().expect("TOML");
    assert_eq!(manifest["profile"]["release"]["panic"].as_str(), Some("unwind"));
    let elsewhere = files(&[".cargo"], "toml");
    assert_none(&lines_where(&elsewhere, |_, line| line.contains("panic")), "the profile is in Cargo.toml");
}

/// The test binaries of the workspace: what cargo finds in the `tests` of each member, and what a manifest adds.
fn test_binaries() -> BTreeSet<PathBuf> {
    let table = |folder: &Path| -> toml::Table { read(&folder.join("Cargo.toml")).parse().expect("TOML") };
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let mut members = vec![root().to_owned()];
    for member in table(root())["workspace"]["members"].as_array().expect("members") {
        let member = member.as_str().expect("a folder");
        match member.strip_suffix("/*") {
            Some(folder) => members.extend(entries(&root().join(folder))),
            None => members.push(root().join(member)),
        }
    }
    let mut found = BTreeSet::new();
    for member in &members {
        for path in entries(&member.join("tests")) {
            let main = path.join("main.rs");
            if main.is_file() {
                found.insert(main);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.insert(path);
            }
        }
        let manifest = table(member);
        for test in manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten() {
            found.extend(test.get("path").and_then(toml::Value::as_str).map(|path| member.join(path)));
        }
    }
    found
}

#[test]
fn no_seventh_test_binary_is_linked() {
    let found = test_binaries();
    assert!(found.len() <= MOST_BINARIES, "put the test into one of the others: {found:#?}");
    for main in found {
        let says = read(&main).contains("\n//! A test belongs here if ");
        assert!(says, "{} does not say what belongs there", main.display());
    }
}

#[test]
fn ids_are_kebab_case_and_stand_once() {
    let mut seen = BTreeSet::new();
    for check in checks::ALL {
        let id = check.id.0;
        assert!(seen.insert(id), "{id} stands twice");
        assert!(id.bytes().all(|it| it.is_ascii_lowercase() || it == b'-'), "{id} is not kebab-case");
    }
}

#[test]
fn each_check_has_its_file_and_its_page_and_no_file_is_forgotten() {
    let mut expected = BTreeSet::new();
    for check in checks::ALL {
        let name = check.id.0.replace('-', "_");
        let source = root().join(format!("src/checks/{}/{name}.rs", check.group));
        assert!(source.is_file(), "{} is not in {}", check.id, source.display());
        assert!(
            read(&source).contains(&format!("include_str!(\"{name}.md\")")),
            "{} does not show its page",
            check.id
        );
        assert!(read(&source).contains(&format!("\"{}\"", check.id)), "{} has another id", source.display());
        expected.insert(source.with_extension("md"));
        expected.insert(source);
    }
    let found = files(&["src/checks"], "rs").into_iter().chain(files(&["src/checks"], "md"));
    for path in found.filter(|path| !path.ends_with("mod.rs")) {
        // What several checks share stands in a file without a page.
        let shared = path.extension().is_some_and(|it| it == "rs")
            && !read(&path).contains("static CHECK")
            && !path.with_extension("md").is_file();
        assert!(shared || expected.contains(&path), "{} is in no table", path.display());
    }
}

#[test]
fn each_page_has_its_four_headings_and_something_beneath_each() {
    for check in checks::ALL {
        let mut rest = check.docs;
        for heading in HEADINGS {
            let (_, after) =
                rest.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("{}: {heading}", check.id));
            let body = after.split("\n## ").next().unwrap_or_default().trim();
            assert!(body.len() > 20, "{}: nothing beneath {heading}", check.id);
            rest = after;
        }
    }
}

/// A sync rests on its job, and yet is read before it: the chain goes from the repository to the page.
const BEHIND: [(&str, &str); 1] = [("sync-recent", "job-state")];

#[test]
fn no_requirement_stands_behind() {
    let position = |id| checks::ALL.iter().position(|check| check.id == id);
    for (at, check) in checks::ALL.iter().enumerate() {
        for need in check.requires {
            let before = position(need.check.id);
            assert!(
                before.is_some_and(|before| before < at) || BEHIND.contains(&(check.id.0, need.check.id.0)),
                "{} requires {}, which does not stand before it",
                check.id,
                need.check.id
            );
        }
    }
}

#[test]
fn no_requirement_goes_in_a_circle() {
    for check in checks::ALL {
        let mut pending: Vec<_> = check.requires.iter().map(|need| need.check).collect();
        let mut seen = BTreeSet::new();
        while let Some(beneath) = pending.pop() {
            assert!(beneath.id != check.id, "{} requires itself", check.id);
            if seen.insert(beneath.id) {
                pending.extend(beneath.requires.iter().map(|need| need.check));
            }
        }
    }
}

#[test]
fn no_check_rests_on_one_that_matters_less() {
    for check in checks::ALL {
        for need in check.requires {
            assert!(
                need.check.severity >= check.severity,
                "{} requires {}, which matters less",
                check.id,
                need.check.id
            );
        }
    }
}

#[test]
fn groups_stand_together_in_chain_order() {
    let mut groups: Vec<_> = checks::ALL.iter().map(|check| check.group).collect();
    groups.dedup();
    assert!(groups.is_sorted(), "a group is torn, or stands in the wrong place: {groups:?}");
}

#[test]
fn summaries_are_clauses_and_every_fix_is_known() {
    for check in checks::ALL {
        assert!(!check.summary.is_empty() && !check.summary.ends_with('.'), "{}: its summary", check.id);
        if let Some(fix) = check.fix {
            assert!(fixes::ALL.iter().any(|known| known.id == fix.id), "{} is no known fix", fix.id);
        }
    }
    for fix in fixes::ALL {
        let is_it = |it: &fixes::Fix| it.id == fix.id || it.but.iter().any(|(_, it)| it.id == fix.id);
        let named = checks::ALL.iter().any(|check| check.fix.is_some_and(is_it));
        assert!(named, "the fix {} mends nothing", fix.id);
    }
}

#[test]
fn the_readme_shows_the_registry() {
    let path = root().join("README.md");
    let (open, close) = ("<!-- checks: begin -->\n", "<!-- checks: end -->");
    let text = read(&path);
    let (before, rest) = text.split_once(open).expect("the mark where the table begins");
    let (_, after) = rest.split_once(close).expect("the mark where the table ends");
    let right = format!("{before}{open}{}{close}{after}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &right).expect("write the README");
    }
    assert!(read(&path) == right, "the table of checks is old: run the tests with UPDATE_DOCS=1");
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let sources: String = files(&["tests"], "rs").iter().map(|path| read(path)).collect();
    let page = read(&root().join("docs/sync.md"));
    let named: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_suffix("` |")?.rsplit_once('`'))
        .map(|(_, name)| name)
        .collect();
    let is_there = |name: &&&str| sources.contains(&format!("fn {name}("));
    let lacking: Vec<String> = named.iter().filter(|name| !is_there(name)).map(ToString::to_string).collect();
    assert!(named.len() > 50, "the table of cases is read");
    assert_none(&lacking, "docs/sync.md names tests that are not there");
}

fn table() -> String {
    let mut text =
        "| group | check | what holds when it passes | severity | fix |\n|---|---|---|---|---|\n".to_owned();
    for check in checks::ALL {
        let fix = check.fix.map_or("by hand".to_owned(), |fix| format!("`{}`", fix.id));
        let row = [
            check.group.to_string(),
            format!("`{}`{}", check.id, subjects(check)),
            check.summary.to_owned(),
            check.severity.to_string(),
            fix,
        ];
        text = text + "| " + &row.join(" | ") + " |\n";
    }
    text
}

fn subjects(check: &Check) -> &'static str {
    match check.look {
        Look::Mirror(_) | Look::Server(_) => "",
        Look::Tool(_) => ", for each tool",
        Look::Job(_) => ", for each job",
        Look::Page(_) => ", for each page",
    }
}
