//! Versions, as programs, packages and files write them, and as ranges are asked about them.
//!
//! There are as many ways of writing one as there are tools. What is no release must be known as such: `3.12.0rc1` is no
//! 3.12.0. What a distribution adds, or a tool's own build, is no part of it: `3.0.13-1~deb12u1` is 3.0.13.

use std::net::Ipv4Addr;

use nodejs_semver::Version;

/// What comes before a release, wherever it stands.
const EARLY: [&str; 20] = [
    "alpha",
    "beta",
    "rc",
    "pre",
    "prerelease",
    "preview",
    "dev",
    "devel",
    "snapshot",
    "nightly",
    "canary",
    "next",
    "ea",
    "early",
    "insider",
    "insiders",
    "experimental",
    "unstable",
    "cr",
    "test",
];
/// What comes before one where a number follows at once: `3.13.0b1`, but not OpenSSL's `1.1.1b`.
const SHORT: [&str; 4] = ["a", "b", "c", "m"];
/// What follows a hyphen or a tilde and is a release all the same. Any other word there is none, as semver has it.
const RELEASED: [&str; 27] = [
    "alpine",
    "amd64",
    "apple",
    "bpo",
    "commercial",
    "community",
    "darwin",
    "deb",
    "debian",
    "dirty",
    "el",
    "enterprise",
    "fc",
    "final",
    "ga",
    "linux",
    "log",
    "lts",
    "macos",
    "mariadb",
    "p",
    "post",
    "r",
    "release",
    "sp",
    "stable",
    "ubuntu",
];

/// What says in front of a number that it is no release: `next-3.5`, `devel go1.24`.
const EARLY_BEFORE: [&str; 14] = [
    "alpha",
    "beta",
    "rc",
    "prerelease",
    "preview",
    "devel",
    "snapshot",
    "nightly",
    "canary",
    "next",
    "insider",
    "insiders",
    "experimental",
    "unstable",
];

/// The first version that a text names; missing parts are zero, and what is before a number is no part of it: `v`, `go`, `jq-`.
///
/// The first line with a number of several parts names it, or nothing does: what a program was built with is in a later
/// one. An address of the network is no version.
#[must_use]
pub fn first_in(text: &str) -> Option<Version> {
    let named = text.lines().map(named_in).find(|named| !matches!(named, Named::Nothing))?;
    if let Named::Version(version) = named { Some(version) } else { None }
}

/// What a line names.
enum Named {
    Version(Version),
    /// A number of several parts that cannot be read as a version, or `v2`.
    Unreadable,
    Nothing,
}

/// The version that a line names.
fn named_in(line: &str) -> Named {
    let (mut from, mut is_numbered) = (0, false);
    while let Some(start) = line[from..].find(|it: char| it.is_ascii_digit()).map(|it| from + it) {
        let tail = &line[start..];
        let is_of_it = |it: char| it.is_ascii_alphanumeric() || ".-+_~".contains(it);
        let end = tail.find(|it: char| !is_of_it(it)).unwrap_or(tail.len());
        let word = tail[..end].trim_end_matches(['.', '-', '+', '_', '~']);
        let before = &line[from..start];
        let letters = last_word(before);
        let is_of_parts =
            word.split_once('.').is_some_and(|(_, part)| part.starts_with(|it: char| it.is_ascii_digit()));
        if is_of_parts && !is_address(word, before, &tail[end..]) {
            is_numbered = true;
            if (letters.len() <= 1 || letters == "go")
                && let Some(version) = read(word)
            {
                let front = before[..before.len() - letters.len()].trim_end_matches([' ', '-', '_']);
                return early_before(front, version).map_or(Named::Unreadable, Named::Version);
            }
        } else if matches!(letters, "v" | "V") && word.bytes().all(|it| it.is_ascii_digit()) {
            // It is a version of one part, or none: what follows is another's.
            is_numbered = true;
            break;
        }
        from = start + end.max(1);
    }
    if is_numbered { Named::Unreadable } else { Named::Nothing }
}

/// The letters and digits at the end of a text.
fn last_word(text: &str) -> &str {
    let is_other = |it: char| !it.is_ascii_alphanumeric();
    let start = text.char_indices().rfind(|(_, it)| is_other(*it)).map_or(0, |(at, it)| at + it.len_utf8());
    &text[start..]
}

/// That version, or what comes before it where the text in front says so.
fn early_before(front: &str, version: Version) -> Option<Version> {
    let word = last_word(front).to_ascii_lowercase();
    if version.is_prerelease() || !EARLY_BEFORE.contains(&&*word) {
        return Some(version);
    }
    Version::parse(format!("{version}-{word}")).ok()
}

/// Whether four numbers are where a machine is reached: of a private network or this machine, in a URL, or with a port.
fn is_address(word: &str, before: &str, after: &str) -> bool {
    word.parse::<Ipv4Addr>().is_ok_and(|it| {
        let has_port =
            after.strip_prefix(':').is_some_and(|port| port.starts_with(|it: char| it.is_ascii_digit()));
        it.is_loopback() || it.is_private() || has_port || before.ends_with("//") || before.ends_with('@')
    })
}

/// A version that is written by itself; `None` where it does not begin with a number.
#[must_use]
pub fn read(written: &str) -> Option<Version> {
    let written = written.trim().trim_start_matches(['v', 'V']);
    let end = written.find(|it: char| !(it.is_ascii_digit() || it == '.')).unwrap_or(written.len());
    let (numbers, rest) = written.split_at(end);
    let mut parts: Vec<&str> = numbers.split('.').filter(|it| !it.is_empty()).take(3).collect();
    if parts.is_empty() || numbers.starts_with('.') {
        return None;
    }
    parts.resize(3, "0");
    let parts: Option<Vec<u64>> = parts.iter().map(|it| it.parse().ok()).collect();
    let plain = parts?.iter().map(u64::to_string).collect::<Vec<String>>().join(".");
    let early = early(rest).map(|it| format!("-{it}")).unwrap_or_default();
    Version::parse(format!("{plain}{early}")).ok()
}

/// What says that it is no release yet, as semver writes it: `rc1`, `beta.2`.
fn early(rest: &str) -> Option<String> {
    let rest = rest.split('+').next().unwrap_or_default();
    let separator = rest.chars().next().filter(|it| !it.is_ascii_alphanumeric());
    let said = rest.trim_start_matches(['-', '_', '~', '.']);
    let letters = said.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(said.len());
    let (word, after) = (said[..letters].to_ascii_lowercase(), &said[letters..]);
    let is_numbered = after.starts_with(|it: char| it.is_ascii_digit());
    // A number alone is a revision, of a distribution or so many commits after it; but after a tilde it is a day before.
    let is_before = word.is_empty() && separator == Some('~') && is_numbered;
    let is_early = match separator {
        _ if EARLY.contains(&&*word) || (SHORT.contains(&&*word) && is_numbered && !is_commit(said)) => true,
        _ if word.is_empty() => is_before,
        Some('-' | '~') => !RELEASED.contains(&&*word) && !is_commit(said),
        _ => false,
    };
    let plain = |it: char| if it == '_' || it == '~' { '-' } else { it };
    let said: String =
        said.chars().filter(|it| it.is_ascii_alphanumeric() || ".-_~".contains(*it)).map(plain).collect();
    let said = said.split('.').filter(|it| !it.is_empty()).collect::<Vec<&str>>().join(".");
    is_early.then(|| if is_before { format!("pre.{said}") } else { said })
}

/// Whether it begins with the name of a commit, with or without the `g` of `git describe`.
fn is_commit(said: &str) -> bool {
    let word = said.split(|it: char| !it.is_ascii_alphanumeric()).next().unwrap_or_default();
    let name = word.strip_prefix('g').unwrap_or(word);
    name.len() >= 7
        && name.bytes().all(|it| it.is_ascii_hexdigit())
        && name.bytes().any(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{first_in, read};

    #[test]
    fn what_tools_say_of_themselves_is_understood() {
        for (said, version) in [
            ("v22.1.0\n", Some("22.1.0")),
            ("v23.0.0-nightly20241016abc", Some("23.0.0-nightly20241016abc")),
            ("git version 2.39.5 (Apple Git-154)", Some("2.39.5")),
            ("git version 2.47.0.windows.1", Some("2.47.0")),
            ("git version 2.47.0.rc1", Some("2.47.0-rc1")),
            ("go version go1.22.1 linux/amd64", Some("1.22.1")),
            ("go version go1.23rc2 linux/amd64", Some("1.23.0-rc2")),
            ("go version devel go1.24-2f507985dc Tue", Some("1.24.0-devel")),
            ("tmux next-3.5", Some("3.5.0-next")),
            ("tool beta 3.0", Some("3.0.0-beta")),
            ("ffmpeg version n6.1.1 Copyright\nbuilt with gcc 13.2.1", Some("6.1.1")),
            ("ffmpeg version N-109 of 2023.x\nbuilt with gcc 13.2.1", Some("13.2.1")),
            ("ffmpeg version git6.1.1\nbuilt with gcc 13.2.1", None),
            ("Picked up JAVA_TOOL_OPTIONS: -Xmx2g\nopenjdk 21.0.1 2023-10-17", Some("21.0.1")),
            ("baz v2 (libz 1.3.1)", None),
            ("Server at 10.11.12.13, release 0.9.0", Some("0.9.0")),
            ("127.0.0.1:8080 answers", None),
            ("http://93.184.216.34/ is 2.4.1", Some("2.4.1")),
            ("93.184.216.34:80 is 2.4.1", Some("2.4.1")),
            ("go1.22", Some("1.22.0")),
            ("Python 3.11.7\n", Some("3.11.7")),
            ("Python 3.12.0rc1", Some("3.12.0-rc1")),
            ("Python 3.13.0b1", Some("3.13.0-b1")),
            ("Python 3.13.0a7+", Some("3.13.0-a7")),
            ("jq-1.6", Some("1.6.0")),
            ("jq-1.7.1-dirty", Some("1.7.1")),
            ("jq-1.6-159-gcff5336-dirty", Some("1.6.0")),
            ("OpenSSL 3.0.13 30 Jan 2024 (Library: OpenSSL 3.0.13 30 Jan 2024)", Some("3.0.13")),
            ("OpenSSL 1.1.1b  26 Feb 2019", Some("1.1.1")),
            ("OpenSSL 3.2.0-alpha2 28 Sep 2023", Some("3.2.0-alpha2")),
            ("openssl 3.0.15-1~deb12u1", Some("3.0.15")),
            ("OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.13", Some("9.2.0")),
            ("nginx version: nginx/1.22.1", Some("1.22.1")),
            ("deno 2.1.4 (stable, release, x86_64)\nv8 13.0", Some("2.1.4")),
            ("rustc 1.85.0-beta.3 (0b4a81a4e 2025-01-23)", Some("1.85.0-beta.3")),
            ("curl 8.10.0-DEV (x86_64-pc-linux-gnu)", Some("8.10.0-DEV")),
            ("gcc (Debian 12.2.0-14) 12.2.0", Some("12.2.0")),
            ("mysql  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64", Some("8.0.36")),
            ("mariadb from 10.11.6-MariaDB, client 15.2", Some("10.11.6")),
            ("hugo v0.123.7-312735366b20d64bd61bff8627f593749f86c964+extended linux/amd64", Some("0.123.7")),
            ("hugo v0.123.8-DEV-312735366b20 linux/amd64", Some("0.123.8-DEV-312735366b20")),
            ("openjdk version \"17.0.9\" 2023-10-17 LTS", Some("17.0.9")),
            ("openjdk version \"1.8.0_392\"", Some("1.8.0")),
            ("ruby 3.3.0preview3 (2023-11-12)", Some("3.3.0-preview3")),
            ("ruby 3.1.2p20 (2022-04-12)", Some("3.1.2")),
            ("PHP 8.3.0RC6 (cli)", Some("8.3.0-RC6")),
            ("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)", Some("5.2.15")),
            ("perl 5, version 36, subversion 0 (v5.36.0)", Some("5.36.0")),
            ("Docker version 24.0.7, build afdd53b", Some("24.0.7")),
            ("Version: ImageMagick 7.1.1-29 Q16", Some("7.1.1")),
            ("1.2.3.4", Some("1.2.3")),
            ("24-Sep 2.0", Some("2.0.0")),
            ("python3.11 of x86_64 is 3.11.2", Some("3.11.2")),
            ("été 1.2", Some("1.2.0")),
            ("1.99999999999999999999 but 2.0", Some("2.0.0")),
            ("version 7", None),
            ("Welcome to v8!", None),
            ("", None),
        ] {
            assert_eq!(first_in(said).map(|it| it.to_string()).as_deref(), version, "{said}");
        }
    }

    #[test]
    fn what_packages_are_called_is_understood() {
        for (written, version) in [
            ("3.0~rc1", Some("3.0.0-rc1")),
            ("3.0~beta2", Some("3.0.0-beta2")),
            ("3.0~20240101", Some("3.0.0-pre.20240101")),
            ("1.2.3~bpo12", Some("1.2.3")),
            ("20230311", Some("20230311.0.0")),
            ("1.1.1w", Some("1.1.1")),
            ("1.2.4_git20230717", Some("1.2.4")),
            ("1.2.4_rc1", Some("1.2.4-rc1")),
            ("1.2.4_p1", Some("1.2.4")),
            ("2.0.0rc1", Some("2.0.0-rc1")),
            ("2.0.0.dev3", Some("2.0.0-dev3")),
            ("2.0.0.post1", Some("2.0.0")),
            ("2.0.0a1", Some("2.0.0-a1")),
            ("3.12.1_1", Some("3.12.1")),
            ("10.9.2-beta.1", Some("10.9.2-beta.1")),
            ("v1.2", Some("1.2.0")),
            ("latest", None),
            (".5", None),
            ("", None),
        ] {
            assert_eq!(read(written).map(|it| it.to_string()).as_deref(), version, "{written}");
        }
    }

    #[test]
    fn what_comes_before_a_release_is_in_no_range_of_it() {
        let range: nodejs_semver::Range = ">=3.12.0".parse().unwrap();
        assert!(range.satisfies(&first_in("Python 3.12.0").unwrap()));
        assert!(!range.satisfies(&first_in("Python 3.12.0rc1").unwrap()));
        assert!(!range.satisfies_with_prerelease(&first_in("Python 3.12.0rc1").unwrap(), true));
    }
}
