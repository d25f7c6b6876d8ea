//! A repository that means harm: its configuration, its names and its files run nothing and hold nobody up.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use support::Mirror;

use super::world::{Clone, fifo, harmless, names};

const FORMATS: [&str; 8] = ["human", "json", "ndjson", "junit", "tap", "prometheus", "github", "markdown"];

/// Every way of a repository's own configuration to have git run a program.
fn armed(clone: &Clone, repository: &Path) {
    let home = &clone.mirror.home;
    let evil = |name: &str| clone.program(&format!("evil/{name}"), name).display().to_string();
    for (key, name) in [
        ("core.fsmonitor", "fsmonitor"),
        ("core.sshCommand", "ssh"),
        ("core.pager", "pager"),
        ("core.editor", "editor"),
        ("core.askPass", "askpass"),
        ("core.gitProxy", "proxy"),
        ("core.alternateRefsCommand", "alternates"),
        ("sequence.editor", "sequence"),
        ("diff.external", "diff"),
        ("diff.evil.textconv", "textconv"),
        ("diff.evil.command", "diff-command"),
        ("merge.evil.driver", "merge"),
        ("filter.evil.clean", "clean"),
        ("filter.evil.smudge", "smudge"),
        ("filter.evil.process", "process"),
        ("gpg.program", "gpg"),
        ("gpg.ssh.program", "gpg-ssh"),
        ("credential.helper", "credential"),
        ("remote.origin.uploadpack", "uploadpack"),
        ("uploadpack.packObjectsHook", "pack-objects"),
        ("interactive.diffFilter", "diff-filter"),
        ("browser.evil.cmd", "browser"),
    ] {
        home.git(repository, ["config", key, &evil(name)]);
    }
    for (key, value) in [
        ("log.showSignature", "true"),
        ("commit.gpgSign", "true"),
        ("protocol.ext.allow", "always"),
        ("protocol.file.allow", "always"),
        ("pager.status", "true"),
        ("alias.status", "!false"),
        ("alias.rev-parse", "!false"),
    ] {
        home.git(repository, ["config", key, value]);
    }
    let hooks = home.at("hooks");
    for hook in [
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "pre-auto-gc",
        "pre-commit",
        "post-commit",
        "post-merge",
        "post-rewrite",
        "fsmonitor-watchman",
    ] {
        let _ = clone.program(&format!("hooks/{hook}"), hook);
        let _ = clone.program(&repository.join(".git/hooks").join(hook).to_string_lossy(), hook);
    }
    home.git(repository, ["config", "core.hooksPath", &hooks.display().to_string()]);
    fs::write(repository.join(".git/info/attributes"), "* filter=evil diff=evil merge=evil\n")
        .expect("attributes");
    let included = home.write("evil/gitconfig", format!("[core]\n\tfsmonitor = {}\n", evil("included")));
    home.git(repository, ["config", "include.path", &included.display().to_string()]);
}

#[test]
fn looking_at_a_clone_runs_nothing_that_its_git_configuration_says() {
    for remote in
        [None, Some("ext::sh -c touch% MARKS/ext"), Some("ssh://-oProxyCommand=touch MARKS/proxy/x")]
    {
        let clone = Clone::new("");
        clone.commit();
        armed(&clone, &clone.mirror.repository);
        if let Some(remote) = remote {
            let marks = clone.mirror.home.at("marks").display().to_string();
            let remote = remote.replace("MARKS", &marks);
            clone.mirror.home.git(&clone.mirror.repository, ["config", "remote.origin.url", &remote]);
        }
        for verb in
            [&["--json"][..], &["--fix", "--risky", "--yes"], &["sync"], &["rescued"], &["init"], &["checks"]]
        {
            let ran = clone.run(verb);
            harmless(&ran);
            let marks = clone.marks();
            // `init` writes the user's own configuration; git's own there is none of ours.
            assert_eq!(marks, [""; 0], "{verb:?} ran a program of the repository\n{ran}");
        }
        let _ = clone.mirror.home.housecall(["who", &clone.mirror.port.to_string()]);
        assert_eq!(clone.marks(), [""; 0]);
    }
}

#[test]
fn keeping_a_mirror_of_it_runs_no_hook_no_monitor_and_no_one_who_shows() {
    let clone = Clone::new("");
    let mirror = &clone.mirror;
    // The user's own configuration: what it names may run, and git's filters with it, which make the files.
    fs::rename(mirror.repository.join("housecall.toml"), &mirror.config).expect("it is the user's own");
    armed(&clone, &mirror.repository);
    for key in ["filter.evil.clean", "filter.evil.smudge", "filter.evil.process"] {
        mirror.home.git(&mirror.repository, ["config", "--unset", key]);
    }
    mirror.home.git(&mirror.repository, ["config", "--unset", "remote.origin.uploadpack"]);
    let _ = mirror.run(&["--fix"]);
    assert!(mirror.worktree().join("public/index.html").exists(), "the mirror is made");
    fs::write(mirror.worktree().join("public/index.html"), "an edit").expect("an edit");
    fs::write(mirror.worktree().join("new"), "a new file").expect("a new file");
    let _ = mirror.run(&["--fix"]);
    let _ = mirror.run(&["sync"]);
    let listed = mirror.run(&["rescued"]).exits(0);
    let name = names(&mirror.state().join("rescued"));
    let _ = mirror.run(&["rescued", "show", name[0].trim_end_matches(".patch")]);
    let ran: Vec<String> = clone.marks().into_iter().filter(|it| it != "node").collect();
    assert_eq!(ran, [""; 0], "{listed}");
    let _ = mirror.run(&["down"]);
}

/// Names that are told, and never taken for options, lines or words of a terminal.
#[test]
fn names_in_a_repository_are_names() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend();
    for name in [
        &b"-rf"[..],
        b"--upload-pack=evil",
        b"a\nb",
        b"\x1b[31m\x1b]0;x\x07",
        b"\xff\xfe",
        "\u{202e}txt".as_bytes(),
        b" ",
        b"a\tb\r",
    ] {
        let name = std::ffi::OsStr::from_bytes(name);
        fs::write(mirror.worktree().join(name), "wicked").expect("a file");
        fs::create_dir_all(mirror.worktree().join("public").join(name)).expect("a directory");
        fs::write(mirror.worktree().join("public").join(name).join(name), "wicked").expect("a file");
    }
    for branch in ["refs/heads/-f", "refs/heads/--help", "refs/heads/\u{202e}evil"] {
        let head = mirror.home.git(&mirror.worktree(), ["rev-parse", "HEAD"]);
        mirror.home.git(&mirror.worktree(), ["update-ref", branch, &head]);
        mirror.home.git(&mirror.worktree(), ["symbolic-ref", "HEAD", branch]);
        for format in FORMATS {
            let ran = mirror.run(&["--format", format, "-v"]);
            harmless(&ran);
            assert_eq!(ran.code, 1, "it is on another branch, and not clean\n{ran}");
        }
    }
    let ran = mirror.run(&["--fix"]);
    harmless(&ran);
    let report = mirror.examine();
    assert_eq!(report.saw("worktree-branch"), "pass", "{}", report.troubles());
    assert_eq!(report.saw("worktree-clean"), "pass", "{}", report.troubles());
    for more in [&["rescued"][..], &["rescued", "--json"]] {
        let ran = mirror.run(more).exits(0);
        harmless(&ran);
        assert!(ran.stdout.contains("16"), "what was there is kept\n{ran}");
    }
    let _ = mirror.run(&["down"]);
}

/// Files that the mirror reads to know its tools and dependencies, as a clone may bring them.
#[test]
fn no_file_of_a_project_holds_a_look_up_or_fills_the_memory() {
    const READ: [&str; 8] = [
        "package.json",
        ".nvmrc",
        ".node-version",
        ".tool-versions",
        "mise.toml",
        "package-lock.json",
        "yarn.lock",
        ".env.local",
    ];
    let wicked = "\u{1b}[31m\u{202e}\0".to_owned() + &"x".repeat(10 << 20);
    let deep = "[".repeat(1 << 20);
    let makers: [&dyn Fn(&Path); 5] = [
        &|path| symlink("/dev/zero", path).expect("a link"),
        &|path| fifo(path),
        &|path| fs::write(path, &wicked).expect("a file"),
        &|path| fs::write(path, &deep).expect("a file"),
        &|path| fs::create_dir(path).expect("a directory"),
    ];
    let mirror = Mirror::fixed();
    mirror.configure("install = []", "install = [\"true\"]\ncarry = [\".env.local\"]");
    mirror.configure("[mirror]", "[runtime]\nnode = \">=1\"\n\n[mirror]");
    mirror.home.write("dev/site/.env.local", "A=1\n");
    let _ = mirror.mend();
    for make in makers {
        for file in READ {
            let path = mirror.worktree().join(file);
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(&path);
            make(&path);
        }
        let ran = mirror.run(&["--json", "--timeout", "2s"]);
        harmless(&ran);
        assert!(ran.peak < 400 << 10, "it took {} KiB", ran.peak);
        assert_ne!(ran.code, 0, "{ran}");
        for check in ran.report().0["checks"].as_array().expect("checks") {
            assert_ne!(check["message"].as_str().unwrap_or_default(), "crashed", "{check}");
            assert!(!check.to_string().contains("did not end"), "{check}");
        }
    }
    let _ = mirror.run(&["down"]);
}

/// The repository itself: what stands for its `.git` may lead anywhere.
#[test]
fn what_stands_in_the_place_of_a_repository_is_looked_at_and_no_more() {
    let mirror = Mirror::fixed();
    let git = mirror.repository.join(".git");
    let aside = mirror.home.at("real.git");
    fs::rename(&git, &aside).expect("it moves");
    let elsewhere = mirror.home.at("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    let makers: [&dyn Fn(); 6] = [
        &|| symlink("/dev/zero", &git).expect("a link"),
        &|| fifo(&git),
        &|| symlink(&git, &git).expect("a circle"),
        &|| fs::write(&git, "gitdir: /dev/zero\n").expect("a file"),
        &|| fs::write(&git, format!("gitdir: {}\n", "../".repeat(10_000))).expect("a file"),
        &|| fs::write(&git, "\u{1b}[31m".repeat(1 << 20)).expect("a file"),
    ];
    for make in makers {
        make();
        for verb in [&["--json"][..], &["--fix"], &["rescued"]] {
            let ran = mirror.run(&[verb, &["--timeout", "2s"]].concat());
            harmless(&ran);
            assert_ne!(ran.code, 0, "{ran}");
            assert!(ran.peak < 400 << 10, "it took {} KiB", ran.peak);
        }
        fs::remove_file(&git).expect("it goes");
    }
    fs::rename(&aside, &git).expect("it is back");
    // A worktree that is somewhere else: nothing there is cleaned.
    mirror.home.write("elsewhere/thesis", "years of work");
    mirror.home.git(&mirror.repository, ["config", "core.worktree", &elsewhere.display().to_string()]);
    for verb in [&["--json"][..], &["--fix"], &["sync"]] {
        harmless(&mirror.run(verb));
        assert_eq!(names(&elsewhere), ["thesis"], "{verb:?} touched it");
    }
    let _ = mirror.run(&["down"]);
}

#[test]
fn submodules_that_name_options_or_programs_run_none() {
    let clone = Clone::new("");
    let mirror = &clone.mirror;
    fs::rename(mirror.repository.join("housecall.toml"), &mirror.config).expect("it is the user's own");
    let _ = fs::remove_dir_all(mirror.repository.join("tools"));
    mirror.configure("[runtime]", "[runtime]\n");
    let head = mirror.home.git(&mirror.repository, ["rev-parse", "HEAD"]);
    let marks = mirror.home.at("marks").display().to_string();
    let mut text = String::new();
    for (at, url) in [
        format!("--upload-pack=touch {marks}/upload"),
        format!("ext::sh -c touch% {marks}/ext"),
        format!("ssh://-oProxyCommand=touch {marks}/ssh/x"),
        "file:///etc".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        use std::fmt::Write as _;
        let _ = write!(
            text,
            "[submodule \"s{at}\"]\n\tpath = s{at}\n\turl = \"{url}\"\n\tupdate = \"!touch {marks}/update\"\n"
        );
        mirror.home.git(
            &mirror.repository,
            ["update-index", "--add", "--cacheinfo", &format!("160000,{head},s{at}")],
        );
    }
    fs::write(mirror.repository.join(".gitmodules"), text).expect("modules");
    mirror.home.git(&mirror.repository, ["add", ".gitmodules"]);
    mirror.home.git(&mirror.repository, ["commit", "--quiet", "-m", "modules"]);
    mirror.home.git(&mirror.repository, ["push", "--quiet"]);
    for verb in [&["--json"][..], &["--fix"], &["sync"], &["--json"]] {
        harmless(&mirror.run(verb));
        assert_eq!(clone.marks(), [""; 0], "{verb:?} ran what a submodule says");
    }
    let _ = mirror.run(&["down"]);
}
