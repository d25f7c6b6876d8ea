//! A configuration that came with a repository: looking at it runs none of its programs.

use std::fs;

use support::{Mirror, Ran, Test};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "looking_runs_nothing_that_came_with_a_repository", needs: &[], run: untrusted },
    Test { name: "a_bare_repository_within_hides_nothing", needs: &[], run: bare_within },
    Test { name: "trust_is_by_content", needs: &[], run: by_content },
];

/// A clone whose tracked configuration names a program that leaves a mark where it runs.
fn hostile() -> Mirror {
    let mirror = Mirror::fixed();
    let mark = mirror.home.at("it-ran");
    let script = format!("#!/bin/sh\ntouch '{}'\necho v22.1.0\n", mark.display());
    mirror.home.program("dev/site/tools/node", &script);
    let runtime = format!(
        "[runtime]\nnode = \">=22\"\npath = [\"{}\"]\n\n[mirror]",
        mirror.repository.join("tools").display()
    );
    mirror.configure("[mirror]", &runtime);
    fs::rename(&mirror.config, mirror.repository.join("housecall.toml")).expect("the configuration moves");
    mirror.home.commit(&mirror.repository, "A doctor for everybody");
    mirror.home.git(&mirror.repository, ["push", "--quiet"]);
    mirror
}

fn run(mirror: &Mirror, arguments: &[&str]) -> Ran {
    mirror.home.housecall_in(&mirror.repository, arguments)
}

fn untrusted() {
    let mirror = hostile();
    let mark = mirror.home.at("it-ran");
    let report = run(&mirror, &["--json"]).report();
    assert!(!mark.exists(), "looking ran a program of the repository");
    assert_eq!(report.saw("runtime-version:node"), "unknown", "{}", report.troubles());
    assert!(report.told("runtime-version:node").contains("trust"), "{}", report.troubles());
    for verb in [&["--fix"][..], &["--fix", "--risky", "--yes"], &["sync"], &["up", "--detach"], &["serve"]] {
        let ran = run(&mirror, verb);
        assert_ne!(ran.code, 0, "{verb:?} is refused\n{ran}");
        assert!(!mark.exists(), "{verb:?} ran a program of the repository");
    }
    assert!(!mirror.worktree().exists(), "no mend of an untrusted configuration writes");
    let _ = run(&mirror, &["trust"]).exits(0);
    let _ = run(&mirror, &["--json"]).report().with("runtime-version:node", "pass");
    assert!(mark.exists(), "this test can fail");
}

fn by_content() {
    let mirror = hostile();
    let _ = run(&mirror, &["trust"]).exits(0);
    let file = mirror.repository.join("housecall.toml");
    let text = fs::read_to_string(&file).expect("the configuration");
    fs::write(&file, text + "\n[check.log-size]\nseverity = \"off\"\n").expect("the configuration changes");
    assert_eq!(run(&mirror, &["--json"]).report().saw("runtime-version:node"), "unknown");
    assert!(!mirror.home.at("it-ran").exists(), "a change asks again");
}

/// The files of a bare repository, committed beside a configuration, are where git would look no further.
fn bare_within() {
    let mirror = hostile();
    let site = mirror.repository.join("site");
    fs::create_dir(&site).expect("a directory");
    for (file, text) in [
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", "[core]\n\tbare = true\n"),
        ("objects/keep", ""),
        ("refs/keep", ""),
    ] {
        let path = site.join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file of a bare repository");
    }
    fs::rename(mirror.repository.join("housecall.toml"), site.join("housecall.toml")).expect("it moves");
    mirror.home.commit(&mirror.repository, "A site of its own");
    let report = mirror.home.housecall_in(&site, ["--json"]).report();
    assert_eq!(report.saw("runtime-version:node"), "unknown", "{}", report.troubles());
    assert!(!mirror.home.at("it-ran").exists(), "looking ran a program of the repository");
}
