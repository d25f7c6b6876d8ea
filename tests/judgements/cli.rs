//! The command line, with the real binary in a home of the test's own: help, usage errors, exit codes, discovery.
#![expect(clippy::disallowed_methods, reason = "a test makes a world and looks at it")]

use std::fs;

use housecall::cli::strict;
use housecall::commands::promises;
use insta::assert_snapshot;
use support::home::Home;
use support::terminal::Terminal;
use support::{Mirror, shown};

/// What it wrote, with the home written `~`.
fn told(home: &Home, text: &str) -> String {
    text.replace(&*home.path().to_string_lossy(), "~")
}

fn command(home: &Home, arguments: &[&str], code: i32) -> (String, String) {
    let ran = home.housecall(arguments).exits(code);
    (told(home, &ran.stdout), told(home, &ran.stderr))
}

#[test]
fn help_shows_every_command_with_examples_and_exit_codes() {
    let (out, err) = command(&Home::new(), &["--help"], 0);
    assert_eq!(err, "");
    shown!(out);
}

#[test]
fn what_is_not_built_is_no_command() {
    let home = Home::new();
    for later in ["undo", "watch", "mirrors", "fleet"] {
        let (out, err) = command(&home, &[later], 2);
        assert_eq!(out, "");
        assert!(err.contains("unrecognized subcommand"), "{err}");
    }
}

#[test]
fn what_was_typed_does_nothing_to_the_terminal_when_it_is_told() {
    let (_, err) = command(&Home::new(), &["explain", "worktree\u{1b}]0;owned\u{7}"], 2);
    assert!(err.contains("there is no check `worktree\\u{1b}]0;owned\\u{7}`"), "{err:?}");
}

#[test]
fn the_version_is_said() {
    let (out, _) = command(&Home::new(), &["--version"], 0);
    assert_eq!(out, concat!("housecall ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn without_a_configuration_the_ways_on_are_named() {
    let (out, err) = command(&Home::new(), &[], 2);
    assert_eq!(out, "");
    assert_snapshot!(err, @"
    error: no mirror is configured for ~

    ~ is in no git repository: run this in the repository of a site

    next  housecall init     writes a configuration from what is here
          housecall demo     shows a mirror that is broken and mended
    ");
}

#[test]
fn what_makes_no_sense_is_said_before_anything_is_done() {
    let home = Home::new();
    assert_snapshot!(command(&home, &["--dry-run"], 2).1, @"
    error: the following required arguments were not provided:
      --fix

    Usage: housecall --fix --dry-run

    For more information, try '--help'.
    ");
    assert_snapshot!(command(&home, &["--timeout", "soon"], 2).1, @"
    error: invalid value 'soon' for '--timeout <DURATION>': `soon` is no duration: write 90s, 5m, 1h or 14d

    For more information, try '--help'.
    ");
    assert_snapshot!(command(&home, &["-C", "nowhere"], 2).1, @"error: there is no directory for -C: `nowhere` is no directory");
    assert_snapshot!(command(&home, &["--config", "nowhere.toml"], 2).1, @"error: cannot read ~/nowhere.toml: No such file or directory (os error 2)");
    assert_snapshot!(command(&home, &["explain", "listener-cmd"], 2).1, @"error: there is no check `listener-cmd`: did you mean `listener-cwd`?");
    assert_snapshot!(command(&home, &["statsu"], 2).1, @"
    error: unrecognized subcommand 'statsu'

      tip: some similar subcommands exist: 'start', 'status'

    Usage: housecall [OPTIONS] [COMMAND]

    For more information, try '--help'.
    ");
    assert_eq!(
        fs::read_dir(home.path()).unwrap().flatten().filter(|it| it.file_name() == ".local").count(),
        0
    );
}

#[test]
fn a_mistaken_configuration_is_shown_at_its_place() {
    let home = Home::new();
    home.write("site/housecall.toml", "[mirror]\nrepositry = \"~/site\"\n");
    let ran = home.housecall_in(&home.at("site"), ["--json"]).exits(2);
    assert_eq!(ran.stdout, "");
    assert_snapshot!(told(&home, &ran.stderr), @r#"
    error: unknown key `repositry`
      ╭▸ ~/site/housecall.toml:2:1
      │
    2 │ repositry = "~/site"
      ╰╴━━━━━━━━━ did you mean `repository`?
    "#);
}

#[test]
fn a_selector_that_names_nothing_is_a_usage_error() {
    let home = Home::new();
    home.write("site/housecall.toml", "[[page]]\nurl = \"http://127.0.0.1:9/\"\n");
    let ran = home.housecall_in(&home.at("site"), ["--only", "http-statsu"]).exits(2);
    assert_snapshot!(ran.stderr, @"error: no check, group, tag or subject is named `http-statsu`: did you mean `http-status`?");
    let ran = home.housecall_in(&home.at("site"), ["--only", "page"]).exits(1);
    assert!(ran.stdout.contains("http-status"), "{ran}");
}

#[test]
fn a_mistyped_word_is_told_with_the_nearest_one() {
    let home = Home::new();
    for (arguments, near) in [
        (&["--format", "junti"][..], "'junit'"),
        (&["--format", "promethus"], "'prometheus'"),
        (&["--fail-on", "warnings"], "'warning'"),
        (&["--color", "allways"], "'always'"),
        (&["--ony", "page"], "'--only'"),
        (&["--wiat", "1s"], "'--wait'"),
        (&["schema", "reprot"], "'report'"),
        (&["logs", "sevre"], "'serve'"),
        (&["who", "abc"], "`abc` is no port: write a number from 1 to 65535"),
        (&["explain"], "`housecall checks` lists them"),
    ] {
        let (out, err) = command(&home, arguments, 2);
        assert!(out.is_empty() && err.contains(near), "{arguments:?}: {err}");
    }
    home.write("site/housecall.toml", "[[page]]\nurl = \"http://127.0.0.1:9/about\"\n");
    for (name, near) in [
        ("http-statsu", "`http-status`"),
        ("pagee", "`page`"),
        ("http-status:http://127.0.0.1:9/abuot", "`http-status:http://127.0.0.1:9/about`"),
    ] {
        for option in ["--only", "--skip"] {
            let ran = home.housecall_in(&home.at("site"), [option, name]).exits(2);
            assert!(ran.stdout.is_empty() && ran.stderr.contains(near), "{option} {name}: {ran}");
        }
    }
    let ran = home
        .housecall_in(&home.at("site"), ["--only", "page", "--skip", "http-status,page-content,page-sha"]);
    assert!(ran.exits(2).stderr.contains("nothing is selected"));
}

#[test]
fn an_option_that_means_nothing_to_a_command_is_a_usage_error() {
    let home = Home::new();
    for (arguments, said) in [
        (&["sync", "--format", "junit"][..], "`sync` takes no `--format`"),
        (&["sync", "--offline"], "`sync` takes no `--offline`"),
        (&["--json", "sync"], "`sync` takes no `--json`"),
        (&["who", "--only", "x", "4321"], "`who` takes no `--only`"),
        (&["who", "4321", "--format", "tap"], "`who` is written as human or json"),
        (&["who", "4321", "--config", "x"], "`who` takes no `--config`"),
        (&["lint", "x", "--format", "junit"], "`lint` is written as human or json"),
        (&["lint", "x", "--skip", "y"], "`lint` takes no `--skip`"),
        (&["checks", "--format", "markdown"], "`checks` is written as human or json"),
        (&["checks", "--fail-on", "error"], "`checks` takes no `--fail-on`"),
        (&["explain", "listener", "--json"], "`explain` takes no `--json`"),
        (&["logs", "--json"], "`logs` takes no `--json`"),
        (&["stop", "--wait", "1s"], "`stop` takes no `--wait`"),
        (&["restart", "-q"], "`restart` takes no `--quiet`"),
        (&["up", "--only", "page"], "`up` takes no `--only`"),
        (&["reload", "--verbose"], "`reload` takes no `--verbose`"),
        (&["init", "--config", "x"], "`init` takes no `--config`"),
        (&["demo", "-C", "/"], "`demo` takes no `-C`"),
        (&["schema", "report", "--json"], "`schema` takes no `--json`"),
        (&["completions", "bash", "--timeout", "1s"], "`completions` takes no `--timeout`"),
        (&["--fix", "sync"], "`sync` takes no `--fix` before it"),
        (&["--fix", "--yes", "install"], "`install` takes no `--fix` before it"),
        (&["--fix", "--dry-run", "reload"], "`reload` takes no `--fix` before it"),
        (&["--fix", "--dry-run", "--wait", "1s"], "nothing that `--wait` could wait for"),
        (&["check", "--fix", "--dry-run", "--wait", "1s"], "nothing that `--wait` could wait for"),
        (&["--json", "--format", "tap"], "name two formats"),
        (&["--wait", "0s"], "is no time at all"),
    ] {
        let (out, err) = command(&home, arguments, 2);
        assert!(out.is_empty() && err.contains(said), "{arguments:?}: {err}");
    }
    // What means something is taken: these fail for want of a mirror only, or do what they do.
    for arguments in [&["--fix", "check"][..], &["check", "--fix", "-q"], &["--json", "--format", "json"]] {
        assert!(command(&home, arguments, 2).1.contains("no mirror is configured"), "{arguments:?}");
    }
    let _ = command(&home, &["checks", "--json", "--color", "never"], 0);
}

#[test]
fn checks_and_explain_work_anywhere() {
    let home = Home::new();
    let (out, _) = command(&home, &["checks"], 0);
    assert!(out.contains("listener-cwd"), "{out}");
    // One unit of a check has a fix of its own.
    let (out, _) = command(&home, &["explain", "rerun"], 0);
    let mended: Vec<&str> = out.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(mended, ["- job-state:sync: the job runs, or its last run went well"], "{out}");
    let (out, _) = command(&home, &["explain", "listener-cwd"], 0);
    assert!(out.contains("{worktree}"), "{out}");
    home.write(
        "site/housecall.toml",
        "[mirror]\nrepository = \".\"\nworktree = \"~/own place\"\n[serve]\nstatic = \".\"\nlisten = \"127.0.0.1:4999\"\n",
    );
    let ran = home.housecall_in(&home.at("site"), ["explain", "worktree-branch"]).exits(0);
    assert!(ran.stdout.contains("~/'own place'") && !ran.stdout.contains("{worktree}"), "{ran}");
    let ran = home.housecall_in(&home.at("site"), ["checks"]).exits(0);
    assert!(ran.stdout.contains("does not apply: the jobs run no known tool"), "{ran}");
}

#[test]
fn schemas_are_json() {
    let home = Home::new();
    for of in ["report", "lines", "config"] {
        let (out, _) = command(&home, &["schema", of], 0);
        let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(schema["type"] == "object" || schema["oneOf"].is_array(), "{out}");
    }
}

#[test]
fn a_reader_who_has_gone_is_no_panic() {
    let home = Home::new();
    let mut command = home.command("sh");
    let binary = support::housecall::binary();
    command.arg("-c").arg(format!("'{}' completions bash | head -c 1 >/dev/null", binary.display()));
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn open_asks_the_browser_of_the_users_choice() {
    let mut mirror = Mirror::fixed();
    let browser = mirror.home.program("bin/browser", "#!/bin/sh\necho \"$@\" > \"$HOME/opened\"\n");
    let url = format!("http://{}/", mirror.address());
    let opened = |mirror: &Mirror| fs::read_to_string(mirror.home.at("opened")).unwrap_or_default();
    for (choice, expected) in
        [("BROWSER", format!("{url}\n")), ("/nowhere/browser:BROWSER --at=%s -n", format!("--at={url} -n\n"))]
    {
        mirror.home.set("BROWSER", choice.replace("BROWSER", &browser.display().to_string()));
        let ran = mirror.run(&["open"]).exits(0);
        assert_eq!((ran.stdout.as_str(), opened(&mirror)), (format!("{url}\n").as_str(), expected));
    }
    mirror.home.set("BROWSER", "/nowhere/browser");
    let ran = mirror.run(&["open"]).exits(1);
    assert!(ran.stderr.contains("cannot run /nowhere/browser, which $BROWSER names: "), "{ran}");
}

#[test]
fn a_plan_says_in_words_what_nobody_types() {
    let mirror = Mirror::fixed();
    let _ = mirror.run(&["sync"]).exits(0);
    fs::remove_file(mirror.state().join("sync.json")).expect("its state is lost");
    let ran = mirror.run(&["--fix", "--dry-run"]);
    let words = "write down that the mirror is aligned, and when";
    assert!(ran.stdout.contains(words) && !ran.stdout.contains("housecall sync"), "{ran}");
}

/// Each command that help shows, by its names, and what must stand behind them.
const COMMANDS: [(&[&str], &[&str]); 31] = [
    (&[], &[]),
    (&["check"], &[]),
    (&["init"], &[]),
    (&["sync"], &[]),
    (&["serve"], &[]),
    (&["install"], &[]),
    (&["uninstall"], &[]),
    (&["up"], &[]),
    (&["down"], &[]),
    (&["rescued"], &[]),
    (&["rescued", "show"], &["x"]),
    (&["rescued", "restore"], &["x"]),
    (&["rescued", "drop"], &["x"]),
    (&["restart"], &[]),
    (&["reload"], &[]),
    (&["stop"], &[]),
    (&["start"], &[]),
    (&["logs"], &[]),
    (&["open"], &[]),
    (&["who"], &["4321"]),
    (&["lint"], &["x"]),
    (&["checks"], &[]),
    (&["explain"], &["listener"]),
    (&["bundle"], &[]),
    (&["import"], &["goss", "x"]),
    (&["import", "goss"], &["x"]),
    (&["trust"], &[]),
    (&["demo"], &[]),
    (&["completions"], &["bash"]),
    (&["man"], &[]),
    (&["schema"], &["report"]),
];

/// Each option for all commands, with a value that any of them would take.
const OPTIONS: [&[&str]; 13] = [
    &["-C", "/"],
    &["--config", "x"],
    &["--format", "human"],
    &["--json"],
    &["--only", "page"],
    &["--skip", "page"],
    &["--fail-on", "info"],
    &["--offline"],
    &["--timeout", "1s"],
    &["--wait", "1s"],
    &["--color", "never"],
    &["--quiet"],
    &["--verbose"],
];

#[test]
fn help_lists_what_a_command_takes_and_nothing_else() {
    let said = |parts: &[&[&str]]| {
        let words = ["housecall"].into_iter().chain(parts.iter().copied().flatten().copied());
        strict::parse(words.map(Into::into), || None)
    };
    let top = said(&[&["--help"]]).unwrap_err().to_string();
    let shown = |line: &&str| line.starts_with("  ") && line[2..].starts_with(|it: char| it.is_lowercase());
    let shown = top.split("Options:").next().unwrap().lines().filter(shown).count();
    let known = COMMANDS.iter().filter(|(path, _)| path.len() == 1).count();
    assert_eq!(shown, known, "COMMANDS above lacks one, or has one too many:\n{top}");
    let man = promises::man_page().replace('\\', "");
    for (path, rest) in COMMANDS {
        let help = said(&[path, &["--help"]]).unwrap_err().to_string();
        let section = man.split(&format!(".SS \"housecall {}\"", path.join(" "))).nth(1);
        let section = section.map(|it| it.split(".SS").next().unwrap());
        for option in OPTIONS {
            let is_listed = help.lines().any(|line| {
                line.split_whitespace().take(2).any(|word| word.trim_end_matches(',') == option[0])
            });
            let taken = [said(&[path, rest, option]), said(&[option, path, rest])];
            for parsed in taken {
                let why = parsed.as_ref().err().map(ToString::to_string);
                assert_eq!(parsed.is_ok(), is_listed, "{path:?} {option:?}: {why:?}\n{help}");
            }
            if let ([_], Some(section)) = (path, section) {
                let is_told = section.split_whitespace().any(|it| it.trim_end_matches(',') == option[0]);
                assert_eq!(is_told, is_listed, "{path:?} {option:?}\n{section}");
            }
        }
        assert_eq!(path.len() == 1, section.is_some(), "{path:?} in the man page");
    }
}

#[test]
fn a_list_is_no_wider_than_the_terminal_and_a_line_each_where_there_is_none() {
    let mirror = Mirror::fixed();
    let port = mirror.address().port().to_string();
    for arguments in [&["checks"][..], &["-v", "--offline"], &["who", &port], &["rescued"]] {
        for width in [60, 80] {
            let (_, text) = Terminal::start_at(width, &mirror, arguments, &[("NO_COLOR", "1")]).wait();
            // What is to be copied stays whole: a word beside its label, a command.
            let is_broken = |line: &&str| {
                line.chars().count() > usize::from(width)
                    && line.split_whitespace().count() > 3
                    && !line.contains("housecall ")
            };
            let wide: Vec<&str> = text.lines().filter(is_broken).collect();
            assert!(wide.is_empty(), "{arguments:?} at {width}: {wide:#?}\n{text}");
        }
    }
    let checks = mirror.run(&["checks"]).exits(0).stdout;
    let lines = checks.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(lines, housecall::checks::ALL.len(), "{checks}");
    let all = mirror.run(&["-v", "--offline", "--skip", "page"]).stdout;
    let clean = all.lines().find(|line| line.starts_with("blocked  worktree-clean")).expect("it is told");
    assert!(clean.ends_with(" ms"), "{all}");
}

#[test]
fn the_help_is_no_wider_than_the_terminal() {
    for width in [60, 80, 120] {
        for (path, _) in COMMANDS {
            let words = ["housecall"].into_iter().chain(path.iter().copied()).chain(["--help"]);
            let help = strict::parse(words.map(Into::into), || Some(width)).unwrap_err().to_string();
            let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > width).collect();
            assert!(wide.is_empty(), "{path:?} at {width}: {wide:#?}");
        }
    }
    let narrow = strict::parse(["housecall", "--help"].map(Into::into), || Some(60)).unwrap_err().to_string();
    shown!("help_on_a_narrow_terminal", narrow);
}
