//! The keys of a job, as launchd.plist(5) has them, with the shape of their values.

/// A key and what may stand there.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) standing: Standing,
}

/// How a key stands with the manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Documented,
    /// Real files have it and the manual does not.
    Undocumented,
    /// It has no effect any more, and why.
    Obsolete(&'static str),
}

/// What a value looks like.
#[derive(Debug)]
pub(super) enum Shape {
    Text,
    /// A string that names a file or a folder.
    Path,
    /// One of these strings.
    Word(&'static [&'static str]),
    Flag,
    Number {
        least: i128,
        most: i128,
    },
    /// A umask: an integer, or a string that is octal with a leading zero.
    Mode,
    List(&'static Self),
    /// A dictionary with these keys.
    Table(&'static [Key]),
    /// A dictionary with any keys.
    Each(&'static Self),
    Either(&'static [Self]),
    Anything,
}

use Shape::{Anything, Each, Either, Flag, List, Mode, Number, Path, Table, Text, Word};

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, standing: Standing::Documented }
}

const fn undocumented(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, standing: Standing::Undocumented }
}

const fn obsolete(name: &'static str, shape: Shape, why: &'static str) -> Key {
    Key { name, shape, standing: Standing::Obsolete(why) }
}

const COUNT: Shape = Number { least: 0, most: i128::MAX };
const SESSIONS: Shape = Word(&["Aqua", "Background", "LoginWindow", "StandardIO", "System"]);
const IGNORED: &str = "launchd no longer looks at it";

/// The keys at the top of a job.
pub(super) static JOB: &[Key] = &[
    key("Label", Text),
    key("Disabled", Flag),
    key("UserName", Text),
    key("GroupName", Text),
    key("inetdCompatibility", Table(&[key("Wait", Flag)])),
    obsolete("LimitLoadToHosts", List(&Text), IGNORED),
    obsolete("LimitLoadFromHosts", List(&Text), IGNORED),
    key("LimitLoadToSessionType", Either(&[SESSIONS, List(&SESSIONS)])),
    key("LimitLoadToHardware", Each(&Anything)),
    key("LimitLoadFromHardware", Each(&Anything)),
    key("Program", Path),
    key("BundleProgram", Text),
    key("ProgramArguments", List(&Text)),
    key("EnableGlobbing", Flag),
    key("EnableTransactions", Flag),
    key("EnablePressuredExit", Flag),
    obsolete("OnDemand", Flag, "KeepAlive took its place"),
    obsolete("ServiceIPC", Flag, "launchd no longer looks at it"),
    key("KeepAlive", Either(&[Flag, Table(KEEP_ALIVE)])),
    key("RunAtLoad", Flag),
    key("RootDirectory", Path),
    key("WorkingDirectory", Path),
    key("EnvironmentVariables", Each(&Text)),
    key("Umask", Mode),
    obsolete("TimeOut", COUNT, "it never did anything"),
    key("ExitTimeOut", COUNT),
    key("ThrottleInterval", COUNT),
    key("InitGroups", Flag),
    key("WatchPaths", List(&Path)),
    key("QueueDirectories", List(&Path)),
    key("StartOnMount", Flag),
    key("StartInterval", Number { least: 1, most: u32::MAX as i128 }),
    key("StartCalendarInterval", Either(&[Table(CALENDAR), List(&Table(CALENDAR))])),
    key("StandardInPath", Path),
    key("StandardOutPath", Path),
    key("StandardErrorPath", Path),
    key("Debug", Flag),
    key("WaitForDebugger", Flag),
    key("SoftResourceLimits", Table(LIMITS)),
    key("HardResourceLimits", Table(LIMITS)),
    key("Nice", Number { least: -20, most: 20 }),
    key("ProcessType", Word(&["Background", "Standard", "Adaptive", "Interactive"])),
    key("AbandonProcessGroup", Flag),
    key("LowPriorityIO", Flag),
    key("LowPriorityBackgroundIO", Flag),
    key("MaterializeDatalessFiles", Flag),
    key("LaunchOnlyOnce", Flag),
    key("MachServices", Each(&Either(&[Flag, Table(MACH_SERVICE)]))),
    key("Sockets", Each(&Either(&[Table(SOCKET), List(&Table(SOCKET))]))),
    key("LaunchEvents", Each(&Each(&Anything))),
    obsolete("HopefullyExitsLast", Text, "launchd no longer looks at it"),
    obsolete("HopefullyExitsFirst", Text, "launchd no longer looks at it"),
    key("SessionCreate", Flag),
    key("LegacyTimers", Flag),
    key("AssociatedBundleIdentifiers", Either(&[Text, List(&Text)])),
    undocumented("POSIXSpawnType", Text),
    undocumented("ExecuteAllowed", Anything),
    undocumented("EnableExtendedTransactions", Anything),
    undocumented("ServiceDescription", Anything),
    undocumented("JetsamProperties", Anything),
    undocumented("CFBundleIdentifier", Anything),
    undocumented("SHAuthorizationRight", Anything),
];

static KEEP_ALIVE: &[Key] = &[
    key("SuccessfulExit", Flag),
    key("PathState", Each(&Flag)),
    key("OtherJobEnabled", Each(&Flag)),
    key("Crashed", Flag),
    obsolete("NetworkState", Flag, "it never acted as most people expected"),
    undocumented("AfterInitialDemand", Flag),
];

static CALENDAR: &[Key] = &[
    key("Minute", Number { least: 0, most: 59 }),
    key("Hour", Number { least: 0, most: 23 }),
    key("Day", Number { least: 1, most: 31 }),
    key("Weekday", Number { least: 0, most: 7 }),
    key("Month", Number { least: 1, most: 12 }),
];

static LIMITS: &[Key] = &[
    key("Core", COUNT),
    key("CPU", COUNT),
    key("Data", COUNT),
    key("FileSize", COUNT),
    key("MemoryLock", COUNT),
    key("NumberOfFiles", COUNT),
    key("NumberOfProcesses", COUNT),
    key("ResidentSetSize", COUNT),
    key("Stack", COUNT),
];

static MACH_SERVICE: &[Key] = &[key("ResetAtClose", Flag), key("HideUntilCheckIn", Flag)];

static SOCKET: &[Key] = &[
    key("SockType", Word(&["stream", "dgram", "seqpacket"])),
    key("SockPassive", Flag),
    key("SockNodeName", Text),
    key("SockServiceName", Either(&[Text, COUNT])),
    key("SockFamily", Word(&["IPv4", "IPv6", "IPv4v6", "Unix"])),
    key("SockProtocol", Word(&["TCP", "UDP"])),
    key("SockPathName", Path),
    key("SecureSocketWithKey", Text),
    key("SockPathOwner", COUNT),
    key("SockPathGroup", COUNT),
    key("SockPathMode", COUNT),
    key("Bonjour", Either(&[Flag, Text, List(&Text)])),
    key("MulticastGroup", Text),
    undocumented("ReceivePacketInfo", Flag),
];

/// The dictionary that has a key of this name, for one that stands a level too high.
pub(super) fn nested_home(name: &str) -> Option<&'static str> {
    let homes: [(&str, &[Key]); 3] =
        [("KeepAlive", KEEP_ALIVE), ("StartCalendarInterval", CALENDAR), ("Sockets", SOCKET)];
    homes.into_iter().find(|(_, keys)| keys.iter().any(|it| it.name == name)).map(|(home, _)| home)
}
