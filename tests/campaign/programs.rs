//! The programs of a campaign's world: real ones, each of which can be held in the middle of its work.

use std::fs;
use std::process::Command;
use std::time::Duration;

use support::processes::{self, eventually};
use support::{Home, parts};

/// What every one of them begins with: `hold` says that it is held, and goes on when it is released.
const HOLD: &str = r#"#!/bin/sh
H="@HOME@/hold"
hold() { mkdir "$H/held" 2>/dev/null && while [ -e "$H/held" ]; do sleep 0.02; done; }
due() { [ -e "$H/$1" ] && read -r number when < "$H/$1" && [ "$(wc -l < "$H/$1.calls")" -ge "$number" ] && rm "$H/$1" 2>/dev/null; }
"#;

/// The real git, held before or after one of its calls.
const GIT: &str = r#"
echo call >> "$H/git.calls"
if due git; then
  [ "$when" = before ] && hold
  [ "$when" = after ] && { /usr/bin/env PATH="${PATH#*:}" git "$@"; code=$?; hold; exit $code; }
fi
PATH="${PATH#*:}" exec git "$@"
"#;

/// A filter that changes nothing: git is in the middle of a checkout, or of an `add`, while it is held.
const FILTER: &str = r#"
[ -e "$H/filter" ] && { echo call >> "$H/filter.calls"; due filter && hold; }
exec cat
"#;

/// git's own server side, held when it has sent that many bytes.
const UPLOAD: &str = r#"
echo call >> "$H/upload.calls"
[ -e "$H/upload" ] && read -r number when < "$H/upload" && rm "$H/upload" && {
  [ "$when" = cut ] && { git upload-pack "$@" | dd bs=1 count="$number" 2>/dev/null; exit 1; }
  git upload-pack "$@" | { dd bs=1 count="$number" 2>/dev/null; hold; cat; }
  exit 0
}
exec git upload-pack "$@"
"#;

/// An installer that is half done for as long as it is held.
const INSTALLER: &str = r#"
rm -rf node_modules; mkdir -p node_modules/a node_modules/b
cp package-lock.json node_modules/a/lock
echo call >> "$H/installer.calls"
due installer && hold
cp package-lock.json node_modules/b/lock
"#;

/// The same of a build, which says what it was made from.
const BUILDER: &str = r#"
mkdir -p dist; : > dist/from
echo call >> "$H/builder.calls"
due builder && hold
git rev-parse HEAD > dist/from
"#;

/// Writes all of them into the home's `bin`.
pub(crate) fn write(home: &Home) {
    fs::create_dir_all(home.at("hold")).expect("a folder");
    let hold = HOLD.replace("@HOME@", &home.path().display().to_string());
    let all = [
        ("git", GIT),
        ("filter", FILTER),
        ("upload-pack", UPLOAD),
        ("installer", INSTALLER),
        ("builder", BUILDER),
    ];
    for (name, text) in all {
        home.program(format!("bin/{name}"), &format!("{hold}{text}"));
    }
    home.program("bin/node", "#!/bin/sh\necho v22.1.0\n");
}

/// Has a command, and all that it starts, read the time of day from the home's clock; the time that passes is real.
pub(crate) fn take_clock_from_file(home: &Home, command: &mut Command) {
    set_clock(home, 0);
    command.env("LD_PRELOAD", parts::faketime().expect("libfaketime"));
    command.env("FAKETIME_TIMESTAMP_FILE", home.at("clock")).env("FAKETIME_NO_CACHE", "1");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
}

/// Sets the home's clock: so many seconds from the real one.
pub(crate) fn set_clock(home: &Home, seconds: i64) {
    fs::write(home.at("clock.next"), format!("{seconds:+}\n")).expect("a clock");
    fs::rename(home.at("clock.next"), home.at("clock")).expect("a clock");
}

/// How many calls that program had so far.
pub(crate) fn calls(home: &Home, program: &str) -> usize {
    let text = fs::read_to_string(home.at("hold").join(format!("{program}.calls")));
    text.unwrap_or_default().lines().count()
}

/// Has that program hold at the call of this number, or as soon as it can after it.
pub(crate) fn hold(home: &Home, program: &str, number: usize, when: &str) {
    let place = home.at("hold");
    fs::write(place.join("next"), format!("{number} {when}\n")).expect("the order");
    fs::rename(place.join("next"), place.join(program)).expect("the order");
}

/// Whether one of them is held now.
pub(crate) fn held(home: &Home) -> bool {
    home.at("hold/held").exists()
}

/// Lets whatever is held go on, and nothing be held again.
pub(crate) fn release(home: &Home) {
    let place = home.at("hold");
    for name in ["git", "filter", "upload", "installer", "builder"] {
        let _ = fs::remove_file(place.join(name));
    }
    let _ = fs::remove_dir(place.join("held"));
}

/// Kills all that is alive in that home, until nothing is.
pub(crate) fn kill_all(home: &Home) {
    let gone = eventually(Duration::from_secs(10), || {
        let alive = home.processes();
        for process in &alive {
            processes::signal(process.pid, "KILL");
        }
        alive.is_empty()
    });
    assert!(gone, "what was killed is alive: {:?}", home.processes());
}
