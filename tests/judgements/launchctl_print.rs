//! `launchctl print` is read right, or not at all: every recorded output, and what is made of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "the recorded outputs are files")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use housecall::services::launchd::exit_codes;
use housecall::services::launchd::print::{JobState, LastExit, Print, State};

/// The recorded outputs, by the number their names begin with.
fn recorded() -> Option<BTreeMap<u32, String>> {
    let Some(corpus) = std::env::var_os("HOUSECALL_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: HOUSECALL_CORPUS is not set");
        return None;
    };
    let files = std::fs::read_dir(corpus.join("launchctl-print")).unwrap().map(|it| it.unwrap().path());
    let texts = files.filter(|it| it.extension().is_some_and(|it| it == "txt")).map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        (name[..2].parse().unwrap(), std::fs::read_to_string(&path).unwrap())
    });
    Some(texts.collect())
}

/// What a person reads in a recorded output.
struct Read {
    number: u32,
    state: State,
    pid: Option<u32>,
    runs: Option<u64>,
    exit: Option<LastExit>,
    job_state: Option<JobState>,
    arguments: Option<usize>,
}

const fn read(
    number: u32,
    state: State,
    pid: Option<u32>,
    runs: Option<u64>,
    exit: Option<LastExit>,
) -> Read {
    Read { number, state, pid, runs, exit, job_state: None, arguments: None }
}

fn readings() -> Vec<Read> {
    use LastExit::{Code, Never};
    let terminated = LastExit::Signal { number: 15, name: "Terminated".into() };
    let codesigning = LastExit::Reason("OS_REASON_CODESIGNING".into());
    let failed = Some(JobState::SpawnFailed);
    vec![
        Read { arguments: Some(2), ..read(1, State::NotRunning, None, Some(3), Some(Code(0))) },
        Read { arguments: Some(1), ..read(2, State::Running, Some(17594), Some(103), Some(terminated)) },
        Read { arguments: Some(2), ..read(4, State::NotRunning, None, Some(2), Some(Code(0))) },
        Read {
            arguments: Some(4),
            job_state: failed.clone(),
            ..read(5, State::SpawnScheduled, None, Some(22138), Some(Code(78)))
        },
        Read { job_state: failed, ..read(7, State::SpawnScheduled, None, Some(6), Some(codesigning)) },
        read(8, State::Xpcproxy, None, Some(1), Some(Never)),
        read(10, State::Running, Some(28868), None, None),
        Read { arguments: Some(5), ..read(11, State::Running, Some(8355), Some(3), Some(Code(143))) },
        Read { arguments: Some(3), ..read(12, State::Running, Some(3087), Some(1), Some(Never)) },
        Read { arguments: Some(1), ..read(14, State::NotRunning, None, Some(0), Some(Never)) },
        Read {
            arguments: Some(1),
            job_state: Some(JobState::Uninitialized),
            ..read(15, State::NotRunning, None, Some(0), Some(Never))
        },
        Read { arguments: Some(1), ..read(16, State::NotRunning, None, Some(0), Some(Never)) },
        Read {
            arguments: Some(2),
            job_state: Some(JobState::Running),
            ..read(18, State::Running, Some(28474), Some(3), Some(Code(1)))
        },
        Read { arguments: Some(3), ..read(20, State::NotRunning, None, Some(7), Some(Code(0))) },
        read(23, State::NotRunning, None, Some(3), Some(Code(4))),
        read(25, State::SpawnScheduled, None, Some(17169), Some(Code(1))),
        read(26, State::Sigtermed, Some(4242), None, None),
        Read { arguments: Some(1), ..read(28, State::Running, Some(1486), Some(3), Some(Code(0))) },
    ]
}

#[test]
fn every_recorded_output_is_read_as_a_person_reads_it() {
    let Some(recorded) = recorded() else { return };
    let readings = readings();
    for wanted in &readings {
        let number = wanted.number;
        let print = Print::parse(&recorded[&number]).unwrap_or_else(|| panic!("{number} is not read"));
        assert_eq!(print.state.as_ref(), Some(&wanted.state), "{number}");
        assert_eq!(print.pid, wanted.pid, "{number}");
        assert_eq!(print.runs, wanted.runs, "{number}");
        assert_eq!(print.last_exit, wanted.exit, "{number}");
        assert_eq!(print.job_state, wanted.job_state, "{number}");
        assert_eq!(print.arguments.map(|it| it.len()), wanted.arguments, "{number}");
        assert_eq!(print.is_complete, ![16, 28].contains(&number), "{number} is cut off, or not");
    }
    assert_eq!(recorded.len(), readings.len() + 1, "a recorded output has no expectation");
    assert_eq!(Print::parse(&recorded[&90]), None, "an error message is no service");
}

#[test]
fn the_rest_of_a_recorded_output_is_read_too() {
    let Some(recorded) = recorded() else { return };
    let sweep = Print::parse(&recorded[&20]).unwrap();
    assert_eq!(sweep.label, "com.example.hourly-sweep");
    assert_eq!(sweep.domain.as_deref(), Some("gui/501"));
    assert_eq!(sweep.run_interval, Some(Duration::from_hours(1)));
    assert_eq!(sweep.arguments.unwrap()[2], "set -eu; exec /opt/example/bin/python /opt/example/sweep.py");
    assert_eq!(sweep.environment.unwrap()["OSLogRateLimit"], "64");
    assert_eq!(sweep.properties.unwrap().into_iter().collect::<Vec<_>>(), ["inferred program", "runatload"]);

    let mojave = Print::parse(&recorded[&12]).unwrap();
    assert_eq!(mojave.domain.as_deref(), Some("gui/501"));
    assert_eq!(mojave.label, "com.microsoft.VSCodeInsiders.ShipIt");
    assert_eq!(mojave.path, None, "submitted by a program");
    assert_eq!(mojave.is_in_penalty_box(), Some(false));
    assert_eq!(mojave.has_property("inferred program"), Some(true));

    let spaces = Print::parse(&recorded[&28]).unwrap();
    assert_eq!(spaces.domain.as_deref(), Some("system"));
    assert_eq!((spaces.forks, spaces.execs), (Some(3), Some(1)));
    assert_eq!(spaces.properties, None, "cut off before them");

    let bundle = Print::parse(&recorded[&18]).unwrap();
    assert_eq!(bundle.program, None);
    assert!(Print::parse(&recorded[&26]).unwrap().is_draining());
}

/// A short output with every trap that is not among the recorded ones.
const TRAPS: &str = "gui/501/com.example.a/b = {
\tstate = not running
\targuments = {
\t\t/bin/sh
\t\t-c
\t\tpid = 7
\t\t}
\t}
\tenvironment = {
\t\tEMPTY => 
\t\tARROW => a => b
\t\tBRACE => {
\t}
\tendpoints = {
\t\t\"x\" = {
\t\t\tstate = active
\t\t}
\t}
\tan odd line
\trun interval = 60 seconds
\tproperties = keepalive | penalty box
}
";

#[test]
fn values_that_look_like_grammar_are_values() {
    let print = Print::parse(TRAPS).unwrap();
    assert_eq!(print.label, "com.example.a/b");
    assert_eq!(print.pid, None);
    assert_eq!(print.state, Some(State::NotRunning));
    assert_eq!(print.arguments.unwrap(), ["/bin/sh", "-c", "pid = 7", "}"]);
    let environment = print.environment.unwrap();
    assert_eq!((&*environment["EMPTY"], &*environment["ARROW"], &*environment["BRACE"]), ("", "a => b", "{"));
    assert_eq!(print.run_interval, Some(Duration::from_mins(1)));
    assert_eq!(print.properties.map(|it| it.contains("penalty box")), Some(true));
}

#[test]
fn what_is_said_twice_or_wrongly_is_unknown() {
    let with = |lines: &str| Print::parse(&format!("gui/501/a = {{\n{lines}\n}}")).unwrap();
    assert_eq!(with("\tpid = 5\n\tpid = 6").pid, None);
    assert_eq!(with("\tpid = 0").pid, None);
    assert_eq!(with("\tpid = 12 (unknown)").pid, None);
    assert_eq!(with("\tlast exit code = 78: EX_CONFIG").last_exit, Some(LastExit::Code(78)));
    assert_eq!(with("\tlast exit code = a lot").last_exit, None);
    assert_eq!(with("\tlast exit code = 1\n\tlast terminating signal = Killed: 9").last_exit, None);
    let thrice = "\tlast exit code = 0\n\tlast exit code = 1\n\tlast exit reason = OS_REASON_EXEC";
    assert_eq!(with(thrice).last_exit, None, "what contradicts itself makes nothing else true");
    assert_eq!(with("\tproperties = {\n\t\tkeepalive = 1\n\t}\n\tproperties = runatload").properties, None);
    assert_eq!(with("\tstate = dreaming").state, Some(State::Other("dreaming".into())));
    assert_eq!(with("\targuments = {\n\t\techo\n\t\ta\nb\n\t}\n\tpid = 5").arguments, None);
    assert_eq!(with("\targuments = {\n\t\techo\n\t\ta\nb\n\t}\n\tpid = 5").pid, Some(5));
    assert_eq!(Print::parse("gui/501 = {\n\tstate = active\n}\n"), None, "a domain is no service");
    assert_eq!(Print::parse("system = {\n\tstate = active\n}\n"), None, "a domain is no service");
    assert_eq!(Print::parse(""), None);
}

/// Of every output, every beginning: what is read of it is what the whole says, or nothing.
#[test]
fn a_part_never_says_what_the_whole_does_not() {
    let texts: Vec<String> = recorded().map(|it| it.into_values().collect()).unwrap_or_default();
    for text in texts.iter().map(String::as_str).chain([TRAPS]) {
        let Some(whole) = Print::parse(text) else { continue };
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let Some(part) = Print::parse(&text[..end]) else { continue };
            assert!(part.pid.is_none() || part.pid == whole.pid, "{:?}", &text[..end]);
            assert!(part.state.is_none() || part.state == whole.state, "{:?}", &text[..end]);
            assert!(part.runs.is_none() || part.runs == whole.runs);
            assert!(part.last_exit.is_none() || part.last_exit == whole.last_exit);
            assert!(part.arguments.is_none() || part.arguments == whole.arguments);
            assert!(part.environment.is_none() || part.environment == whole.environment);
            assert!(part.properties.is_none() || part.properties == whole.properties);
        }
    }
}

/// A small generator with a fixed seed: the same mutations every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

#[test]
fn no_mutation_makes_it_panic() {
    let texts: Vec<String> = recorded().map(|it| it.into_values().collect()).unwrap_or_default();
    let mut dice = Dice(7);
    let scraps = [
        "\t",
        "\n",
        "{",
        "}",
        " = ",
        " => ",
        "[",
        "]",
        "é",
        "\0",
        "        ",
        "state = running",
        "\r\n",
        "|",
    ];
    for text in texts.iter().map(String::as_str).chain([TRAPS]) {
        for _ in 0..300 {
            let mut chars: Vec<char> = text.chars().collect();
            for _ in 0..=dice.roll(6) {
                let at = dice.roll(chars.len());
                match dice.roll(3) {
                    0 => drop(chars.drain(at..(at + dice.roll(30)).min(chars.len()))),
                    1 => drop(chars.splice(at..at, scraps[dice.roll(scraps.len())].chars())),
                    _ => chars.truncate(at),
                }
            }
            let _ = Print::parse(&chars.iter().collect::<String>());
        }
    }
}

#[test]
fn an_exit_is_told_in_words() {
    let told = |exit, execs| exit_codes::job(&exit, execs);
    assert_eq!(
        told(LastExit::Code(78), Some(0)),
        "it exited with 78 (EX_CONFIG): launchd could not start the program: a log path that cannot be opened, a \
         missing program or directory, or a code signature"
    );
    assert_eq!(told(LastExit::Code(78), Some(1)), "it exited with 78 (EX_CONFIG): a configuration error");
    assert_eq!(
        told(LastExit::Code(127), None),
        "it exited with 127: a command was not found: launchd's PATH is /usr/bin:/bin:/usr/sbin:/sbin"
    );
    assert_eq!(
        told(LastExit::Code(126), None),
        "it exited with 126: the program was found and may not be run"
    );
    assert_eq!(
        told(LastExit::Code(143), None),
        "it exited with 143: it was ended by SIGTERM: it was asked to end: a restart, a reload or a shutdown"
    );
    assert_eq!(told(LastExit::Code(1), None), "it exited with 1");
    assert_eq!(told(LastExit::Code(-1), None), "it exited with -1");
    assert_eq!(
        told(LastExit::Code(69), None),
        "it exited with 69 (EX_UNAVAILABLE): a service is unavailable"
    );
}

#[test]
fn every_code_of_the_recorded_table_is_known() {
    let Some(corpus) = std::env::var_os("HOUSECALL_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: HOUSECALL_CORPUS is not set");
        return;
    };
    let table = std::fs::read_to_string(corpus.join("launchctl-errors.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let mut fields = line.split('\t');
        let (code, words) = (fields.next().unwrap().parse().unwrap(), fields.next().unwrap());
        assert_eq!(exit_codes::launchctl(code).map(|it| it.words), Some(words), "{code}");
    }
    assert!(exit_codes::launchctl(5).unwrap().meaning.unwrap().starts_with("one of"));
    assert!(exit_codes::may_be_draining(37) && exit_codes::says_not_loaded(113));
}
