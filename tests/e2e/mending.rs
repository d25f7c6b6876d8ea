//! Mends: what is set aside, what is left alone, two at once, and one that was killed.

use std::fs;
use std::time::Duration;

use support::processes::{self, HANG};
use support::{Mirror, Test};

pub(crate) const TESTS: &[Test] = &[
    Test { name: "what_a_person_left_in_the_mirror_is_set_aside", needs: &[], run: sets_aside },
    Test { name: "rescued_lists_all_that_was_set_aside", needs: &[], run: rescued },
    Test { name: "another_branch_and_a_rewritten_history_are_followed", needs: &[], run: rewritten },
    Test { name: "a_deleted_worktree_comes_back", needs: &[], run: deleted },
    Test { name: "a_lost_git_file_never_touches_the_repository_above", needs: &[], run: lost_git_file },
    Test { name: "two_at_once_do_not_break_each_other", needs: &[], run: two_at_once },
    Test { name: "a_mend_that_was_killed_is_resumed", needs: &[], run: killed },
    Test { name: "the_canonical_repository_is_as_it_was", needs: &[], run: canonical_is_sacred },
];

fn sets_aside() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let page = mirror.worktree().join("public/index.html");
    fs::write(&page, "a person's words").expect("the edit");
    fs::write(mirror.worktree().join("notes.txt"), "a new file").expect("the new file");
    let dirty = mirror.run(&["--json"]).exits(1).report().with("worktree-clean", "fail");
    assert!(dirty.told("worktree-clean").contains("index.html"), "{}", dirty.troubles());
    let _ = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    assert!(fs::read_to_string(&page).expect("the page").contains("The first text"));
    assert!(!mirror.worktree().join("notes.txt").exists());
    let refs = mirror.home.git(&mirror.repository, ["for-each-ref", "--format=%(refname)", "refs/housecall"]);
    let kept = refs.lines().any(|name| {
        let show = |file: &str| {
            let mut command = mirror.home.command("git");
            let ran =
                command.arg("-C").arg(&mirror.repository).arg("show").arg(format!("{name}:{file}")).output();
            String::from_utf8_lossy(&ran.expect("git runs").stdout).into_owned()
        };
        show("public/index.html") == "a person's words" && show("notes.txt") == "a new file"
    });
    assert!(kept, "both are kept under a ref: {refs}");
}

fn rescued() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let none = mirror.run(&["rescued"]).exits(0);
    assert_eq!(none.stdout, "nothing was set aside\n");
    let inner = mirror.worktree().join("inner");
    fs::create_dir(&inner).expect("a folder");
    mirror.home.git(&inner, ["init", "--quiet"]);
    fs::write(mirror.worktree().join("notes.txt"), "a new file").expect("the new file");
    let _ = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    let listed = mirror.run(&["rescued"]).exits(0).stdout;
    assert!(listed.contains("1 file, inner, "), "the ref and the repository: {listed}");
    let name = listed.split(' ').next().expect("its name");
    let shown = mirror.run(&["rescued", "show", name]).exits(0).stdout;
    assert!(shown.contains("A notes.txt") && shown.contains("inner"), "{shown}");
}

fn rewritten() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    mirror.home.git(&mirror.worktree(), ["checkout", "--quiet", "-b", "feature"]);
    let _ = mirror.examine().with("worktree-branch", "fail").caused_by("worktree-branch");
    mirror.home.git(&mirror.repository, ["commit", "--quiet", "--amend", "-m", "Another history"]);
    mirror.home.git(&mirror.repository, ["push", "--quiet", "--force"]);
    let sha = mirror.home.git(&mirror.repository, ["rev-parse", "HEAD"]);
    let _ = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    assert_eq!(mirror.home.git(&mirror.worktree(), ["rev-parse", "HEAD"]), sha);
    assert_eq!(mirror.home.git(&mirror.worktree(), ["branch", "--show-current"]), "localhost-sync");
}

fn deleted() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    let _ = mirror.run(&["down"]).exits(0);
    fs::remove_dir_all(mirror.worktree()).expect("the worktree is removed");
    let _ = mirror.run(&["--json"]).exits(1).report().caused_by("worktree-exists");
    let _ = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
}

fn lost_git_file() {
    let mirror = Mirror::fixed();
    let _ = mirror.mend().healthy();
    // A home that is itself a repository, as people with dotfiles have: git would look upwards and find it.
    mirror.home.write(".gitignore", "*\n!precious\n");
    mirror.home.write("precious", "committed");
    mirror.home.git(mirror.home.path(), ["init", "--quiet"]);
    mirror.home.git(mirror.home.path(), ["add", "precious"]);
    mirror.home.git(mirror.home.path(), ["commit", "--quiet", "-m", "Dotfiles"]);
    let head = mirror.home.git(mirror.home.path(), ["rev-parse", "HEAD"]);
    mirror.home.write("precious", "edited since");
    fs::remove_file(mirror.worktree().join(".git")).expect("the .git file is removed");
    let report = mirror.run(&["--json"]).report();
    assert_ne!(report.status("worktree-exists"), "pass", "{}", report.troubles());
    let _ = mirror.run(&["--fix"]);
    let _ = mirror.run(&["sync"]);
    assert_eq!(fs::read_to_string(mirror.home.at("precious")).expect("the file"), "edited since");
    assert_eq!(mirror.home.git(mirror.home.path(), ["rev-parse", "HEAD"]), head);
}

fn two_at_once() {
    let mirror = Mirror::fixed();
    let runs = [mirror.start(&["--fix"]), mirror.start(&["--fix"])];
    let ended = runs.map(|it| it.wait(Duration::from_mins(1)));
    assert!(ended.iter().any(|it| it.code == 0), "one mends\n{}\n{}", ended[0], ended[1]);
    assert!(
        ended.iter().all(|it| it.code == 0 || it.code == 3),
        "the other waits or is busy\n{}\n{}",
        ended[0],
        ended[1]
    );
    mirror.settle();
    let _ = mirror.run(&["--json"]).exits(0).report().healthy();
    let left = mirror.home.processes();
    let running = |verb: &str| left.iter().filter(|it| it.command.contains(verb)).count();
    assert_eq!(
        (running("housecall up"), running("housecall serve")),
        (1, 1),
        "one keeper, one server: {left:?}"
    );
}

fn killed() {
    let mirror = Mirror::fixed();
    for after in [15, 40, 80, 160] {
        let running = mirror.start(&["--fix"]);
        std::thread::sleep(Duration::from_millis(after));
        processes::signal(running.pid(), "KILL");
        let _ = running.wait(HANG);
    }
    // The git that it ran is on its own now, and comes to its end.
    let alone = || !mirror.home.processes().iter().any(|it| it.command.starts_with("git "));
    assert!(processes::eventually(HANG, alone), "{:?}", mirror.home.processes());
    // A keeper that it started lives on, and its server is neither up nor down for a while.
    let is_settled = || !mirror.examine().0["checks"].to_string().contains("\"status\":\"pending\"");
    assert!(processes::eventually(HANG, is_settled), "{}", mirror.examine().troubles());
    let mended = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    assert_eq!(mended.status("git-locks"), "pass");
}

fn canonical_is_sacred() {
    let mirror = Mirror::fixed();
    mirror.home.write("dev/site/public/index.html", "work in progress");
    mirror.home.write("dev/site/draft.md", "a draft");
    mirror.home.git(&mirror.repository, ["checkout", "--quiet", "-b", "topic"]);
    let look = || {
        let status = mirror.home.git(&mirror.repository, ["status", "--porcelain", "--branch"]);
        let branches =
            mirror.home.git(&mirror.repository, ["for-each-ref", "refs/heads/main", "refs/heads/topic"]);
        (status, branches, fs::read_to_string(mirror.repository.join("draft.md")).expect("the draft"))
    };
    let before = look();
    let _ = mirror.run(&["--fix", "--json"]).exits(0).report().healthy();
    assert_eq!(look(), before);
}
