//! Jobs written for one rule each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use housecall::lint::{Facts, Kind, Place, Seen, lint, paths_of};

use super::{job, judged, told};

#[test]
fn what_looks_wrong_and_is_not_is_silent() {
    let silent = [
        "<key>StandardOutPath</key><string>/Library/Application Support/x y.log</string>",
        "<key>Umask</key><string>022</string>",
        "<key>POSIXSpawnType</key><string>Adaptive</string>",
        "<key>KeepAlive</key><dict><key>AfterInitialDemand</key><true/></dict>",
        "<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict><key>StartInterval</key><integer>60</integer>",
        "<!-- a -- b --><key>Sockets</key><dict><key>L</key><array><dict><key>SockServiceName</key><integer>80</integer></dict></array></dict>",
        "<key>EnvironmentVariables</key><dict><key>TOKEN_FILE</key><string>/x</string><key>MAX_TOKENS</key><string>4096000</string><key>API_KEY</key><string>__KEY__</string></dict>",
        "<key>StartCalendarInterval</key><array><dict><key>Weekday</key><integer>7</integer><key>Hour</key><integer>0</integer><key>Minute</key><integer>0</integer></dict></array>",
        "<key>MachServices</key><dict><key>com.x</key><true/><key>com.y</key><dict><key>ResetAtClose</key><true/></dict></dict>",
        "<key>LaunchEvents</key><dict><key>com.apple.iokit.matching</key><dict><key>x</key><dict><key>idVendor</key><integer>1</integer></dict></dict></dict>",
    ];
    for keys in silent {
        assert_eq!(told(&judged(&job(keys))), Vec::<String>::new(), "{keys}");
    }
    let programs = [
        "<string>sh</string><string>-c</string><string>~/x --flag value $HOME</string>",
        "<string>/Library/Application Support/My App/run</string><string>*.conf</string>",
        "<string>/Applications/Code - Insiders.app/run</string><string>--opts</string><string>-a -b</string>",
        "<string>/usr/bin/env</string><string>A=b</string><string>python3</string>",
        "<string>/bin/date</string><string>+%H %M</string><string>~/x</string><string>--daemonize</string><string>no</string>",
    ];
    for arguments in programs {
        let text = job("").replace("<string>/bin/date</string>", arguments);
        assert_eq!(told(&judged(&text)), Vec::<String>::new(), "{arguments}");
    }
    let bare = "<plist><dict><key>Label</key><string>com.example.job</string><key>Program</key><string>/bin/date</string><key>RunAtLoad</key><true/></dict></plist>";
    assert_eq!(told(&judged(bare)), Vec::<String>::new(), "no declaration, no document type");
}

#[test]
fn programs_and_arguments_that_cannot_work_are_found() {
    let cases = [
        ("<string>~/bin/x</string>", "error unexpanded-path ProgramArguments 6"),
        ("<string>node</string><string>x.js</string>", "warning program-not-found ProgramArguments 6"),
        ("<string>./run.sh</string>", "warning relative-program ProgramArguments 6"),
        ("<string>node server.js</string>", "warning joined-arguments ProgramArguments 6"),
        ("<string>/usr/bin/python3 /srv/x.py</string>", "warning joined-arguments ProgramArguments 6"),
        (
            "<string>/bin/redis</string><string>--port 80</string>",
            "warning joined-arguments ProgramArguments 6",
        ),
        ("<string>/bin/redis</string><string>--daemonize yes</string>", "info daemonizes ProgramArguments 6"),
        (
            "<string>/usr/bin/env</string><string>node</string>",
            "warning program-not-found ProgramArguments 6",
        ),
        (
            "<string>/opt/homebrew/Cellar/node/22.1/bin/node</string>",
            "warning fragile-path ProgramArguments 6",
        ),
        (
            "<string>/bin/x</string><string>--key=ghp_0123456789abcdefghij</string>",
            "warning secret ProgramArguments 6",
        ),
        ("<string>/bin/x</string><integer>80</integer>", "warning wrong-type ProgramArguments 6"),
        ("", "error empty-arguments ProgramArguments 5"),
    ];
    for (arguments, wanted) in cases {
        let text = job("").replace("<string>/bin/date</string>", arguments);
        assert!(told(&judged(&text)).contains(&wanted.to_owned()), "{arguments}: {:?}", told(&judged(&text)));
    }
    let none = job("").replace("ProgramArguments", "Comment");
    assert!(told(&judged(&none)).contains(&"error missing-program ProgramArguments 3".to_owned()));
    let unnamed = job("").replace("<key>Label</key>", "<key>Nice</key>");
    assert!(told(&judged(&unnamed)).contains(&"error missing-label Label 3".to_owned()));
}

#[test]
fn schedules_that_contradict_themselves_are_found() {
    let cases = [
        (
            "<key>KeepAlive</key><true/><key>ThrottleInterval</key><integer>0</integer>",
            "warning crash-loop ThrottleInterval 7",
        ),
        (
            "<key>KeepAlive</key><true/><key>StartInterval</key><integer>60</integer>",
            "warning keepalive-interval StartInterval 7",
        ),
        (
            "<key>KeepAlive</key><true/><key>Program</key><string>/usr/bin/open</string>",
            "warning crash-loop KeepAlive 7",
        ),
        (
            "<key>StartCalendarInterval</key><dict><key>Hour</key><integer>3</integer></dict>",
            "warning every-minute StartCalendarInterval 7",
        ),
        (
            "<key>StartCalendarInterval</key><dict><key>Hour</key><integer>24</integer></dict>",
            "warning out-of-range StartCalendarInterval.Hour 7",
        ),
        (
            "<key>EnvironmentVariables</key><dict><key>PORT</key><integer>1</integer></dict>",
            "warning wrong-type EnvironmentVariables.PORT 7",
        ),
        (
            "<key>EnvironmentVariables</key><dict>\n<key>DB_PASSWORD</key><string>hunter2</string></dict>",
            "warning secret EnvironmentVariables.DB_PASSWORD 8",
        ),
        (
            "<key>EnvironmentVariables</key><dict><key>PATH</key><string>/bin:$HOME/bin</string></dict>",
            "warning unexpanded-path EnvironmentVariables.PATH 7",
        ),
    ];
    for (keys, wanted) in cases {
        let findings = told(&judged(&job(keys)));
        assert!(findings.contains(&wanted.to_owned()), "{keys}: {findings:?}");
    }
}

#[test]
fn syntax_is_told_in_the_words_of_plutil() {
    let message = |text: &str| judged(text).first().map(|it| it.message.clone()).unwrap_or_default();
    assert_eq!(message(""), "Cannot parse a NULL or zero-length data");
    assert_eq!(
        message("<plist><dict>\n<string>x</string></dict></plist>"),
        "Found non-key inside <dict> at line 2"
    );
    assert_eq!(
        message("<plist><dict>\n<key>x</key>\n</dict></plist>"),
        "Value missing for key inside <dict> at line 2"
    );
    assert_eq!(
        message("<plist><dict>\n<key>x</string></dict></plist>"),
        "Close tag on line 2 does not match open tag key"
    );
    assert_eq!(message("<plist>\n<dictionary/></plist>"), "Encountered unknown tag dictionary on line 2");
    assert_eq!(message("<plist>\n<!-- x"), "Unterminated comment started on line 2");
    assert_eq!(message("<plist><dict>"), "Encountered unexpected EOF");
    assert_eq!(
        message("<plist><dict><key>Nice</key>\n<integer> </integer></dict></plist>"),
        "Encountered empty <integer> on line 2"
    );
    let deep = "<array>".repeat(100_000);
    assert_eq!(message(&deep), "Too many nested elements on line 1");
}

/// The world of an installed agent where all is well.
fn facts(text: &str) -> Facts {
    let seen = |path: PathBuf| {
        let kind = if path.extension().is_some() || path.starts_with("/bin/") {
            Kind::File
        } else {
            Kind::Directory
        };
        (path, Seen { kind, is_writable: true, is_executable: true })
    };
    let seen: BTreeMap<_, _> = paths_of(text.as_bytes()).into_iter().map(seen).collect();
    Facts { home: "/Users/me".into(), user: 501, owner: 501, mode: 0o644, seen }
}

#[test]
fn the_machine_is_asked_only_about_an_installed_job() {
    const AGENT: &str = "/Users/me/Library/LaunchAgents/com.example.job.plist";
    let text = job("<key>StandardErrorPath</key><string>/Users/me/Library/Logs/x.log</string>");
    let installed = |facts: Facts, text: &str| {
        told(&lint(AGENT, text.as_bytes(), &Place::Installed(Box::new(facts))).unwrap())
    };
    assert_eq!(installed(facts(&text), &text), Vec::<String>::new());

    let mut gone = facts(&text);
    gone.seen.get_mut(Path::new("/Users/me/Library/Logs")).unwrap().kind = Kind::Missing;
    gone.seen.get_mut(Path::new("/bin/date")).unwrap().is_executable = false;
    let wanted = ["error program-missing ProgramArguments 6", "error missing-directory StandardErrorPath 7"];
    assert_eq!(installed(gone, &text), wanted);

    let mut locked = facts(&text);
    locked.seen.get_mut(Path::new("/Users/me/Library/Logs/x.log")).unwrap().is_writable = false;
    assert_eq!(installed(locked, &text), ["error log-not-writable StandardErrorPath 7"]);

    let open = Facts { mode: 0o666, owner: 502, ..facts(&text) };
    assert_eq!(installed(open, &text), ["error writable-file - -", "error wrong-owner - -"]);

    let away = text.replace("/Users/me/Library/Logs", "/Volumes/Disk");
    assert_eq!(installed(facts(&away), &away), ["warning external-volume StandardErrorPath 7"]);
    assert_eq!(told(&judged(&away)), Vec::<String>::new());
    let guarded = text.replace("/Users/me/Library/Logs", "/Users/me/Documents");
    assert_eq!(installed(facts(&guarded), &guarded), ["warning guarded-folder StandardErrorPath 7"]);
}

#[test]
fn a_binary_one_is_judged_without_lines() {
    let value = plist::Value::from_reader(std::io::Cursor::new(job("<key>WatchPath</key><true/>"))).unwrap();
    let mut bytes = Vec::new();
    value.to_writer_binary(&mut bytes).unwrap();
    let findings = lint("/tmp/com.example.job.plist", &bytes, &Place::Elsewhere).unwrap();
    assert_eq!(told(&findings), ["warning unknown-key WatchPath -"]);
    assert_eq!(findings[0].suggestion.as_deref(), Some("WatchPaths"));
    let torn = lint("x.plist", &bytes[..bytes.len() / 2], &Place::Elsewhere).unwrap();
    assert_eq!(told(&torn), ["error syntax - -"]);
}

#[test]
fn no_cut_and_no_mutation_makes_it_panic() {
    let whole = job(
        "<key>KeepAlive</key><dict><key>Crashed</key><true/></dict><!-- é --><key>Umask</key><string>&lt;</string>",
    );
    for end in (0..whole.len()).filter(|&end| whole.is_char_boundary(end)) {
        let _ = judged(&whole[..end]);
        for scrap in ["<", ">", "&", "</", "<!--", "<![CDATA[", "é", "$(", "~", "-", "\u{0}"] {
            let _ = judged(&format!("{}{scrap}{}", &whole[..end], &whole[end..]));
        }
    }
    for text in [
        "\u{FEFF}<plist/>",
        "<plist",
        "<!",
        "<!DOCTYPE [",
        "<?",
        "<plist></plist>",
        "<string>&#x110000;</string>",
    ] {
        let _ = judged(text);
    }
    let _ = lint("", &[0xFF, 0xFE, 0x3C], &Place::Elsewhere);
    let _ = lint("", &[0xC3, 0x28], &Place::Elsewhere);
}

/// Arrays of two that both are the next: small, and 2 to the power of their number when it is unfolded.
fn folded(arrays: u8, width: u8) -> Vec<u8> {
    let mut bytes = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for array in 0..arrays {
        offsets.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        bytes.push(0xA0 | width);
        bytes.extend(std::iter::repeat_n(array + 1, width.into()));
    }
    offsets.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    bytes.push(0x09);
    let table = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    bytes.extend(offsets);
    bytes.extend([0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, arrays + 1]);
    bytes.extend([0; 15]);
    bytes.push(table);
    bytes
}

#[test]
fn a_small_file_that_unfolds_without_end_is_refused() {
    let message = |bytes: &[u8]| lint("x.plist", bytes, &Place::Elsewhere).unwrap().remove(0).message;
    assert_eq!(message(&folded(3, 2)), "a job is a dictionary, and this is an array");
    let bomb = "the binary property list is damaged: it unfolds to more values than any job has";
    assert_eq!(message(&folded(60, 2)), bomb);
    let deep = "the binary property list is damaged: it is nested too deeply";
    assert_eq!(message(&folded(110, 1)), deep);
}
