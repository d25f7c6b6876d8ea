//! What is shipped beside the program keeps its word: schema, man page, completions, snippets, the action, every recipe.
#![expect(clippy::disallowed_methods, reason = "these tests read, and regenerate, files of the project")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use housecall::cli::Cli;
use housecall::commands::promises;
use housecall::config::{Config, Limits, Surroundings};
use saphyr::LoadableYamlNode as _;
use support::parts::lacks;
use support::{Home, Part};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn in_folder(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder");
    entries.map(|it| Path::new(folder).join(it.expect("an entry").file_name())).collect()
}

/// The code blocks of that language in the pages that people read, each with the page's name.
fn blocks(language: &str) -> Vec<(String, String)> {
    let mut pages = in_folder("docs");
    pages.extend(["README.md".into(), "CONTRIBUTING.md".into()]);
    let mut found = Vec::new();
    for page in pages.into_iter().filter(|it| it.extension().is_some_and(|it| it == "md")) {
        let text = read(&page);
        let mut parts = text.split("\n```");
        let _ = parts.next();
        while let (Some(block), after) = (parts.next(), parts.next()) {
            if let Some((of, code)) = block.split_once('\n')
                && of == language
            {
                found.push((page.display().to_string(), code.to_owned()));
            }
            if after.is_none() {
                break;
            }
        }
    }
    found
}

fn is_current(path: &str, right: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join(path), right).expect("the generated file");
    }
    let published = fs::read_to_string(root().join(path)).unwrap_or_default();
    assert!(published == right, "{path} is old: run the tests with UPDATE_DOCS=1");
}

#[test]
fn the_published_schema_and_man_page_are_the_real_ones() {
    is_current("schema/config.json", &promises::config_schema());
    is_current("man/housecall.1", &promises::man_page());
}

#[test]
fn the_man_page_is_read_without_a_complaint() {
    if lacks(Part::Program("groff")) {
        return;
    }
    let mut groff = Command::new("groff");
    groff.args(["-man", "-ww", "-Tutf8", "-z", "man/housecall.1"]).current_dir(root());
    let output = groff.output().expect("groff");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn load(text: &str) -> Result<Config, String> {
    let surroundings = Surroundings {
        home: "/home/ada".into(),
        directory: "/home/ada".into(),
        environment: std::collections::BTreeMap::new(),
        odd: [].into(),
        uid: 1000,
    };
    let file = Path::new("/home/ada/housecall.toml");
    Config::of_text(text, file, &surroundings, Limits::default()).map_err(|error| error.render(false))
}

#[test]
fn every_configuration_that_is_shown_is_one_and_a_typo_in_it_is_not() {
    let blocks = blocks("toml");
    assert!(blocks.len() > 3, "the pages show configurations");
    for (page, text) in blocks {
        if let Err(why) = load(&text) {
            panic!("{page} shows\n{text}\nwhich is no configuration: {why}");
        }
        let why = load(&format!("unknwon = 1\n{text}")).err().unwrap_or_default();
        assert!(why.contains("unknwon"), "{page} shows\n{text}\nwhere a typo is no error: {why}");
    }
}

#[test]
fn all_yaml_and_toml_that_is_shipped_can_be_read() {
    let files = ["action.yml", ".pre-commit-hooks.yaml", ".github/workflows/release.yml"];
    let files = files.map(|path| (path.to_owned(), read(path)));
    for (path, text) in files.into_iter().chain(blocks("yaml")) {
        let read = saphyr::Yaml::load_from_str(&text);
        assert!(read.as_ref().is_ok_and(|it| it.len() == 1), "{path}: {read:?}\n{text}");
    }
    for path in in_folder("examples").iter().filter(|it| it.extension().is_some_and(|it| it == "toml")) {
        assert!(read(path).parse::<toml::Table>().is_ok(), "{}", path.display());
    }
}

/// What a shell would call: each `housecall …` of a text, up to what ends a command.
fn calls(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for (at, _) in line.match_indices("housecall ") {
            let starts = line[..at].chars().next_back().is_none_or(|it| " `'\"(;".contains(it));
            let ends = ["  ", " #", "`", ";", "|", ">", " || ", " && ", " 2>", "$", "\"", "…", " {"];
            let rest = &line[at..];
            let end = ends.iter().filter_map(|it| rest.find(it)).min().unwrap_or(rest.len());
            let words: Vec<&str> = rest[..end].split_whitespace().collect();
            // What formats there are is for the tests of the reports.
            let formats = words.iter().position(|it| *it == "--format").map_or(0..0, |at| at..at + 2);
            let words = words.iter().enumerate().filter(|(at, _)| !formats.contains(at));
            let words: Vec<String> = words.map(|(_, word)| (*word).to_owned()).collect();
            if starts && words.len() > 1 {
                found.push(words);
            }
        }
    }
    found
}

#[test]
fn every_call_that_is_shown_or_shipped_can_be_made() {
    let mut texts = blocks("sh");
    texts.extend(in_folder("examples").into_iter().map(|path| (path.display().to_string(), read(path))));
    for (path, text) in texts {
        for call in calls(&text) {
            let placed = call.iter().map(|word| match word.as_str() {
                "PORT" | "{port}" => "4321",
                other => other,
            });
            let parsed = Cli::try_parse_from(placed);
            let is_help = |error: &clap::Error| error.exit_code() == 0;
            assert!(parsed.as_ref().map_or_else(is_help, |_| true), "{path}: {call:?}: {:?}", parsed.err());
        }
    }
    // The action's own calls, as its shell makes them.
    let made = read("action.yml")
        .replace("\"$FAIL_ON\"", "error")
        .replace("${more[@]+\"${more[@]}\"}", "--offline --only worktree");
    let lines = made
        .lines()
        .filter_map(|line| line.trim().strip_prefix("housecall ").map(|rest| rest.split(" ||").next()));
    let parsed: Vec<_> = lines
        .flatten()
        .map(|rest| Cli::try_parse_from(std::iter::once("housecall").chain(rest.split_whitespace())))
        .collect();
    assert!(!parsed.is_empty(), "the action calls it");
    for call in parsed {
        assert!(call.is_ok(), "{:?}", call.err());
    }
    let hooks = read(".pre-commit-hooks.yaml");
    for verb in ["housecall lint", "housecall checks --config"] {
        assert!(hooks.contains(verb), "{verb}");
    }
    assert!(Cli::try_parse_from(["housecall", "lint", "a.plist", "b.service"]).is_ok());
    assert!(Cli::try_parse_from(["housecall", "checks", "--config", "housecall.toml"]).is_ok());
    assert!(
        Cli::try_parse_from(["housecall", "--fail-on", "warning", "--only", "worktree", "--offline"]).is_ok()
    );
}

#[test]
fn each_shell_reads_its_snippet_and_its_completions() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = home.housecall(["completions", shell]).exits(0);
        assert!(ran.stdout.contains("housecall"), "{ran}");
        let script = home.write(format!("completions.{shell}"), &ran.stdout);
        if matches!(shell, "elvish" | "powershell") || lacks(Part::Program(shell)) {
            continue;
        }
        let snippet = root().join(format!("examples/prompt.{shell}"));
        for script in [script, snippet] {
            let output = Command::new(shell).arg("-n").arg(&script).output().expect("a shell");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.is_empty(), "{shell} reads {}: {said}", script.display());
        }
    }
}

#[test]
fn the_prompt_says_nothing_where_there_is_no_mirror_and_something_where_it_is_broken() {
    let mut home = Home::new();
    let _ = home.install_binary();
    let path = format!("{}:/usr/bin:/bin", home.at(".local/bin").display());
    home.set("PATH", path);
    home.write("broken/housecall.toml", "[mirror]\nrepository = \"~/nowhere\"\nworktree = \"~/ops\"\n");
    home.write("wrong/housecall.toml", "[mirror]\nrepositry = 1\n");
    let slow = "[check.slow]\ntimeout = '60s'\ncommand = { run = ['sleep', '50'] }\n";
    home.write("slow/housecall.toml", slow);
    for (shell, shows) in [
        ("bash", "eval \"$PROMPT_COMMAND\"; printf '<%s>' \"$HOUSECALL_MARK\""),
        ("zsh", "__housecall_prompt; printf '<%s>' \"$HOUSECALL_MARK\""),
        ("fish", "printf '<%s>' (fish_right_prompt)"),
    ] {
        if lacks(Part::Program(shell)) {
            continue;
        }
        let script =
            format!("source '{}'; {shows}", root().join(format!("examples/prompt.{shell}")).display());
        for (folder, shown) in [
            ("", ""),
            ("broken", "mirror: broken"),
            ("wrong", "mirror: misconfigured"),
            ("slow", "mirror: ?"),
        ] {
            let output = home
                .command(shell)
                .arg("-c")
                .arg(&script)
                .current_dir(home.at(folder))
                .output()
                .expect("a shell");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let shown = if shown.is_empty() { String::new() } else { format!("[{shown}]") };
            assert_eq!(said.trim_matches(['<', '>', ' ']), shown, "{shell} in `{folder}`: {output:?}");
        }
    }
    let starship: toml::Table = read("examples/starship.toml").parse().expect("TOML");
    let custom = &starship["custom"]["housecall"];
    for (folder, shown) in
        [("", None), ("broken", Some("unhealthy")), ("wrong", Some("mirror: misconfigured"))]
    {
        let run = |key: &str| {
            let script = custom[key].as_str().expect("a script");
            home.command("sh").args(["-c", script]).current_dir(home.at(folder)).output().expect("sh")
        };
        assert_eq!(run("when").status.success(), shown.is_some(), "{folder}");
        let said = String::from_utf8_lossy(&run("command").stdout).into_owned();
        assert!(shown.is_none_or(|shown| said.contains(shown)), "{folder}: {said}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_an_alarm_in_every_format_of_which_silence_is_health() {
    let home = Home::new();
    home.write("housecall.toml", "[check.it]\nenv = { nme = 'HOME' }\n");
    let say =
        |format: &str, more: &[&str]| home.housecall([&["--format", format], more].concat()).exits(2).stdout;
    for more in [&[][..], &["--only", "nothing-of-that-name"]] {
        let told = say("prometheus", more);
        assert!(told.contains("housecall_healthy{mirror=\"\"} 0\n"), "{told}");
        assert!(told.contains("housecall_exit_code{mirror=\"\"} 2\n"), "{told}");
        let place = if more.is_empty() { "file=housecall.toml,line=2,col=9," } else { "" };
        let told = say("github", more);
        assert!(told.contains(&format!("::error {place}title=misconfigured::")), "{told}");
        assert!(say("tap", more).starts_with("TAP version 14\nBail out! "));
        let junit = say("junit", more);
        let junit = roxmltree::Document::parse(&junit).expect("XML");
        let errors: Vec<_> = junit.descendants().filter(|it| it.has_tag_name("error")).collect();
        assert!(errors.len() == 1 && errors[0].attribute("type") == Some("misconfigured"), "{errors:?}");
        assert!(say("markdown", more).starts_with("## misconfigured: nothing was examined\n\n```text\n"));
        for silent in ["human", "json", "ndjson"] {
            assert_eq!(say(silent, more), "", "{silent}");
        }
        home.write("housecall.toml", "[check.it]\nenv = { name = 'HOME' }\n");
    }
}

#[test]
fn a_release_fills_in_the_whole_formula() {
    let (formula, release) = (read("packaging/housecall.rb"), read(".github/workflows/release.yml"));
    let names: Vec<&str> = formula.split('@').skip(1).step_by(2).collect();
    for name in names {
        let is_filled =
            ["REPOSITORY", "VERSION"].contains(&name) || release.contains(&format!("target: {name},"));
        assert!(is_filled, "@{name}@ is filled in by the release");
    }
    for target in release.split("target: ").skip(1).filter_map(|it| it.split_once(',')).map(|it| it.0) {
        assert!(formula.contains(&format!("@{target}@")), "{target} is in the formula");
        assert!(read("action.yml").contains(&format!("target={target} ")), "{target} is in the action");
    }
}
