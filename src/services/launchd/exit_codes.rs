//! What launchctl's exit codes mean, and those with which launchd's jobs end.

use super::print::LastExit;

/// A code in launchctl's words and in plain ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What `launchctl` exits with.
    pub code: i32,
    /// What it prints.
    pub words: &'static str,
    /// What that is for a person, where the words do not say it.
    pub meaning: Option<&'static str>,
}

const fn known(code: i32, words: &'static str, meaning: &'static str) -> Meaning {
    Meaning { code, words, meaning: Some(meaning) }
}

const fn plain(code: i32, words: &'static str) -> Meaning {
    Meaning { code, words, meaning: None }
}

/// What a code of launchctl means; `None`: it is not known.
#[must_use]
pub fn launchctl(code: i32) -> Option<&'static Meaning> {
    LAUNCHCTL.iter().find(|it| it.code == code)
}

/// Whether a bootstrap that failed so may succeed a moment later: the job before it is still ending.
#[must_use]
pub const fn may_be_draining(code: i32) -> bool {
    matches!(code, 5 | 36 | 37)
}

/// Whether this says that no such job is loaded.
#[must_use]
pub const fn says_not_loaded(code: i32) -> bool {
    matches!(code, 3 | 113)
}

/// Whether this says that the job is loaded already.
#[must_use]
pub const fn says_already_loaded(code: i32) -> bool {
    matches!(code, 17 | 37 | 133)
}

/// How a job ended, in a sentence; `execs` is launchd's count while it tried.
#[must_use]
pub fn job(exit: &LastExit, execs: Option<u64>) -> String {
    match exit {
        LastExit::Never => "it has never ended".into(),
        LastExit::Abandoned => "launchd let go of it while it ended".into(),
        LastExit::FailedReap => "launchd could not learn how it ended".into(),
        LastExit::Signal { number, name } => signal(*number, Some(name)),
        LastExit::Reason(reason) => self::reason(reason),
        LastExit::Code(code) => job_code(*code, execs),
    }
}

fn job_code(code: i32, execs: Option<u64>) -> String {
    let meaning = match code {
        0 => return "it ended well".into(),
        78 if execs.is_none_or(|it| it == 0) => {
            "launchd could not start the program: a log path that cannot be opened, a missing program or \
             directory, or a code signature"
        }
        126 => "the program was found and may not be run",
        127 => "a command was not found: launchd's PATH is /usr/bin:/bin:/usr/sbin:/sbin",
        129..=159 => return format!("it exited with {code}: {}", signal(code - 128, None)),
        code => match EX_NAMES.get(usize::try_from(code - 64).unwrap_or(usize::MAX)) {
            Some((name, meaning)) => return format!("it exited with {code} ({name}): {meaning}"),
            None => return format!("it exited with {code}"),
        },
    };
    let name = if code == 78 { " (EX_CONFIG)" } else { "" };
    format!("it exited with {code}{name}: {meaning}")
}

fn signal(number: i32, name: Option<&str>) -> String {
    let (short, meaning) = match number {
        1 => ("SIGHUP", "its terminal or session ended"),
        2 => ("SIGINT", "it was interrupted"),
        3 => ("SIGQUIT", "it was told to quit"),
        4 => ("SIGILL", "it crashed on an instruction that this processor does not know"),
        5 => ("SIGTRAP", "it crashed on a trap"),
        6 => ("SIGABRT", "it gave up by itself"),
        8 => ("SIGFPE", "it crashed on arithmetic"),
        9 => (
            "SIGKILL",
            "it was killed: by a person, for memory, for its signature, or for not ending in time",
        ),
        10 => ("SIGBUS", "it crashed on memory"),
        11 => ("SIGSEGV", "it crashed on memory"),
        13 => ("SIGPIPE", "nobody read what it wrote"),
        15 => ("SIGTERM", "it was asked to end: a restart, a reload or a shutdown"),
        _ => {
            return format!(
                "it was ended by signal {number}{}",
                name.map_or_else(String::new, |it| format!(" ({it})"))
            );
        }
    };
    format!("it was ended by {short}: {meaning}")
}

fn reason(reason: &str) -> String {
    let meaning = match reason {
        "OS_REASON_CODESIGNING" => "its code signature is missing or broken",
        "OS_REASON_JETSAM" => "the system took back its memory",
        "OS_REASON_DYLD" => "a library of it could not be loaded",
        "OS_REASON_EXEC" => "the program could not be started",
        "OS_REASON_SIGNAL" => "a signal ended it",
        "OS_REASON_LAUNCHD" => "launchd ended it",
        "OS_REASON_TCC" => "it touched what macOS guards, without leave",
        "OS_REASON_WATCHDOG" => "it did not answer in time",
        _ => return format!("the system ended it: {reason}"),
    };
    format!("the system ended it ({reason}): {meaning}")
}

/// From sysexits.h, 64 to 78.
const EX_NAMES: [(&str, &str); 15] = [
    ("EX_USAGE", "its command line makes no sense"),
    ("EX_DATAERR", "its input makes no sense"),
    ("EX_NOINPUT", "it cannot open its input"),
    ("EX_NOUSER", "a user is unknown"),
    ("EX_NOHOST", "a host is unknown"),
    ("EX_UNAVAILABLE", "a service is unavailable"),
    ("EX_SOFTWARE", "an internal error"),
    ("EX_OSERR", "a system error"),
    ("EX_OSFILE", "a system file is missing"),
    ("EX_CANTCREAT", "it cannot create its output"),
    ("EX_IOERR", "an input or output error"),
    ("EX_TEMPFAIL", "a temporary failure"),
    ("EX_PROTOCOL", "a remote error in the protocol"),
    ("EX_NOPERM", "permission is denied"),
    ("EX_CONFIG", "a configuration error"),
];

static LAUNCHCTL: &[Meaning] = &[
    known(1, "Operation not permitted", "the system's domain needs root"),
    known(3, "No such process", "the job is not loaded"),
    known(
        5,
        "Input/output error",
        "one of: the job before it still ends, it is loaded already, the property list is bad or cannot be \
         read, or the job is disabled",
    ),
    known(17, "File exists", "the job is loaded already"),
    known(36, "Operation now in progress", "the job still ends"),
    known(37, "Operation already in progress", "the job is loaded already, or still ends"),
    known(64, "Usage error", "the command line makes no sense to launchctl"),
    plain(107, "Malformed bundle"),
    plain(108, "Invalid path"),
    known(109, "Invalid property list", "the file is no property list, or no job"),
    plain(110, "Invalid or missing service identifier"),
    known(111, "Invalid or missing Program/ProgramArguments", "the job names no program"),
    known(112, "Could not find specified domain", "the user has no such session, as over ssh"),
    known(113, "Could not find specified service", "the job is not loaded"),
    plain(114, "The specified username does not exist"),
    plain(115, "The specified group does not exist"),
    plain(116, "Routine not yet implemented"),
    plain(117, "(n/a)"),
    plain(118, "Bad response from server"),
    known(119, "Service is disabled", "it was disabled with `launchctl disable`, which outlives everything"),
    plain(120, "Bad subsystem destination for request"),
    plain(121, "Path not searched for services"),
    known(
        122,
        "Path had bad ownership/permissions",
        "the file does not belong to its user or root, or others may write to it",
    ),
    plain(123, "Path is whitelisted for domain"),
    known(124, "Domain is tearing down", "the user is logging out"),
    known(
        125,
        "Domain does not support specified action",
        "there is no graphical session, or \"Allow in the Background\" is off for it in System Settings",
    ),
    plain(126, "Request type is no longer supported"),
    plain(127, "The specified service did not ship with the operating system"),
    plain(128, "The specified path is not a bundle"),
    plain(129, "The service was superseded by a later later version"),
    plain(130, "The system encountered a condition where behavior was undefined"),
    plain(131, "Out of order requests"),
    plain(132, "Request for stale data"),
    known(133, "Multiple errors were returned; see stderr", "the job is loaded already, most often"),
    known(
        134,
        "Service cannot load in requested session",
        "an agent of the desktop was put in another session",
    ),
    plain(135, "Process is not managed"),
    plain(136, "Action not allowed on singleton service"),
    plain(137, "Service does not support the specified action"),
    plain(138, "Service cannot be loaded on this hardware"),
    known(139, "Service cannot presently execute", "it is in launchd's penalty box after failures"),
    plain(140, "Service name is reserved or invalid"),
    plain(141, "Reentrancy avoided"),
    plain(142, "Operation only supported on development"),
    plain(143, "Requested entry was cached"),
    plain(144, "Requestor lacks required entitlement"),
    plain(145, "Endpoint is hidden"),
    plain(146, "Domain is in on-demand-only mode"),
    plain(147, "The specified service did not ship in the requestor"),
    plain(148, "The specified service path was not in the service cache"),
    plain(149, "Could not find a bundle of the given identifier through LaunchServices"),
    known(
        150,
        "Operation not permitted while System Integrity Protection is engaged",
        "the job is Apple's own",
    ),
    plain(151, "A complete hack"),
    plain(152, "Service cannot load in current boot environment"),
    plain(153, "Completely unexpected error"),
    plain(154, "Requestor is not a platform binary"),
    known(
        155,
        "Refusing to execute/trust quarantined program/file",
        "the program was downloaded and not yet allowed to run",
    ),
    plain(156, "Domain creation with that UID is not allowed anymore"),
    plain(157, "System service is not in system service whitelist"),
    plain(158, "Service cannot be loaded on current os variant"),
    plain(159, "Unknown error"),
];
