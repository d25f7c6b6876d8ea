//! Files that are carried into the mirror, and those that are set aside out of it.

use housecall::checks::sync::{carried_files, carry_list, rescues};
use housecall::cx::Probes;
use housecall::error::ProbeError;
use housecall::probes::Probe;
use housecall::probes::files::{Carried, Content};
use housecall::probes::git::Repeated;
use insta::assert_snapshot;

use super::sync::with;
use super::worlds::{ago, cx, cx_of, verdict};

fn content(digest: &str, mode: u32) -> Content {
    Content { digest: (!digest.is_empty()).then(|| digest.to_owned()), mode }
}

fn carried(files: &[(&str, Option<Content>, Option<Content>)]) -> String {
    let carried = files.iter().map(|(file, source, copy)| Carried {
        file: file.into(),
        source: source.clone(),
        copy: copy.clone(),
        tracked: false,
    });
    let carried = Probe::given(Ok(carried.collect()));
    verdict(&carried_files::CHECK, &cx(Probes { carried, ..Probes::default() }))
}

#[test]
fn carried_files_as_in_the_repository() {
    assert_snapshot!(carried(&[(".env.local", Some(content("aa", 0o644)), Some(content("aa", 0o600)))]), @"pass -");
}

#[test]
fn carried_files_at_fault() {
    let one = |source, copy| carried(&[(".env.local", source, copy)]);
    assert_snapshot!(one(Some(content("aa", 0o600)), None), @"
    fail `.env.local` is missing in the worktree
      expected: /home/ada/dev/site/.env.local
      actual: /home/ada/ops/site/worktree/.env.local
    ");
    assert_snapshot!(one(Some(content("aa", 0o600)), Some(content("bb", 0o600))), @"
    fail `.env.local` differs from the one in the repository
      expected: /home/ada/dev/site/.env.local
      actual: /home/ada/ops/site/worktree/.env.local
    ");
    assert_snapshot!(one(Some(content("aa", 0o600)), Some(content("aa", 0o644))), @"
    fail `.env.local` has the mode 0644 in the worktree, not 0600
      expected: /home/ada/dev/site/.env.local
      actual: /home/ada/ops/site/worktree/.env.local
    ");
    assert_snapshot!(one(None, Some(content("aa", 0o600))), @"
    fail `.env.local` is not in the repository, from where it is carried
      expected: /home/ada/dev/site/.env.local
      actual: /home/ada/ops/site/worktree/.env.local
    ");
    assert_snapshot!(one(Some(content("aa", 0o600)), Some(content("", 0o755))), @"
    fail `.env.local` is no plain file in the worktree, and so differs from the one in the repository
      expected: /home/ada/dev/site/.env.local
      actual: /home/ada/ops/site/worktree/.env.local
    ");
    let several = [(".env.local", Some(content("aa", 0o600)), None), ("keys/api", None, None)];
    assert_snapshot!(carried(&several), @"
    fail 2 carried files are not as in the repository
      .env.local: is missing in the worktree
      keys/api: is not in the repository, from where it is carried
    ");
}

#[test]
fn carried_files_none() {
    let config = with(|mirror| mirror.carry.clear());
    assert_snapshot!(verdict(&carried_files::CHECK, &cx_of(config, Probes::default())), @"skip no file is carried");
}

#[test]
fn carried_files_unknown() {
    let carried = Probe::given(Err(ProbeError::Stuck { mount: "/Volumes/FunIA".into() }));
    assert_snapshot!(verdict(&carried_files::CHECK, &cx(Probes { carried, ..Probes::default() })), @"unknown the volume at /Volumes/FunIA does not answer");
}

fn listed(files: &[(&str, bool)]) -> String {
    let of_one = |&(file, tracked): &(&str, bool)| {
        let (source, copy) = (Some(content("aa", 0o600)), Some(content("bb", 0o644)));
        Carried { file: file.into(), source, copy, tracked }
    };
    let carried = || Probe::given(Ok(files.iter().map(of_one).collect()));
    let look = |check| verdict(check, &cx(Probes { carried: carried(), ..Probes::default() }));
    format!("{}\n{}", look(&carry_list::CHECK), look(&carried_files::CHECK))
}

#[test]
fn carry_list_of_what_the_project_tracks() {
    assert_snapshot!(listed(&[(".env.local", true)]), @"
    fail `.env.local` is carried, and the project tracks it
      tracked: .env.local
      remedy: `carry` in housecall.toml is to be without it
      or: $ git -C ~/dev/site rm --cached .env.local

    pass -
    ");
    assert_snapshot!(listed(&[(".env.local", true), ("keys/api 1", true)]), @"
    fail 2 files are carried, and the project tracks them
      tracked: .env.local
      tracked: keys/api 1
      remedy: `carry` in housecall.toml is to be without it
      or: $ git -C ~/dev/site rm --cached .env.local 'keys/api 1'

    pass -
    ");
    assert_snapshot!(listed(&[(".env.local", false)]), @"
    pass -

    fail `.env.local` differs from the one in the repository
      expected: /home/ada/dev/site/.env.local
      actual: /home/ada/ops/site/worktree/.env.local
    ");
    let config = with(|mirror| mirror.carry.clear());
    assert_snapshot!(verdict(&carry_list::CHECK, &cx_of(config, Probes::default())), @"skip no file is carried");
}

fn repeated(found: &[(&str, usize, i64)]) -> String {
    let of_one = |&(path, times, seconds): &(&str, usize, i64)| Repeated {
        path: path.to_owned(),
        times,
        last: ago(seconds),
    };
    let repeated = Probe::given(Ok(found.iter().map(of_one).collect()));
    verdict(&rescues::CHECK, &cx(Probes { repeated, ..Probes::default() }))
}

#[test]
fn rescues_of_the_same_file() {
    let day = 24 * 60 * 60;
    assert_snapshot!(repeated(&[]), @"pass -");
    assert_snapshot!(repeated(&[("note.txt", 4, 60)]), @"pass -");
    assert_snapshot!(repeated(&[("debug.log", 20, 3 * day)]), @"pass -");
    assert_snapshot!(repeated(&[("debug.log", 20, 60), ("note.txt", 2, 60)]), @"
    fail `debug.log` is set aside again and again
      debug.log: in 20 of the last rescues
      last: 2026-03-16T20:28:43Z
      remedy: a line for it in .gitignore, or whatever writes it is to write elsewhere
      list: $ housecall rescued
    ");
    assert_snapshot!(repeated(&[("debug.log", 20, 60), (".env.local", 5, day)]), @"
    fail 2 files are set aside again and again
      debug.log: in 20 of the last rescues
      last: 2026-03-16T20:28:43Z
      .env.local: in 5 of the last rescues
      last: 2026-03-15T20:29:43Z
      remedy: a line for it in .gitignore, or whatever writes it is to write elsewhere
      list: $ housecall rescued
    ");
    assert_snapshot!(repeated(&[(".env.local", 5, day)]), @"
    fail `.env.local` is set aside again and again
      .env.local: in 5 of the last rescues
      last: 2026-03-15T20:29:43Z
      remedy: whatever writes it is to write elsewhere, or `carry` in housecall.toml to be without it
      list: $ housecall rescued
    ");
    let repeated = Probe::given(Err(ProbeError::failed("list what was set aside", &"not a git repository")));
    assert_snapshot!(verdict(&rescues::CHECK, &cx(Probes { repeated, ..Probes::default() })), @"unknown cannot list what was set aside: not a git repository");
}
