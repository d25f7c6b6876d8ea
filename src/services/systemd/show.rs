//! What `systemctl show` says, read: properties as `Name=value`, one unit after another with an empty line between.

use std::collections::BTreeMap;
use std::time::Duration;

use super::render::THROUGH_SHELL;
use super::systemctl;
use crate::config::Config;
use crate::error::ProbeError;
use crate::services::Scope;

/// All that is asked of a unit.
const PROPERTIES: &str = "--property=Id,LoadState,LoadError,ActiveState,SubState,Result,NRestarts,ExecMainStatus,\
    ExecMainCode,ExecMainStartTimestamp,MainPID,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,Type,Restart,\
    ExecStart,Environment,TimersMonotonic,Triggers,InvocationID";

/// One unit, as systemd shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    /// Its properties; of those that are there more than once, all.
    properties: BTreeMap<String, Vec<String>>,
    /// As it was written.
    pub raw: String,
}

/// Asks for these units, in this order.
pub(super) fn show(config: &Config, scope: Scope, units: &[&str]) -> Result<Vec<Unit>, ProbeError> {
    let arguments: Vec<&str> = ["show", PROPERTIES, "--"].iter().chain(units).copied().collect();
    let output = systemctl(config, scope, &arguments, config.limits.timeout)?;
    if !output.succeeded() {
        return Err(ProbeError::failed("ask systemd", &super::complaint(&output)));
    }
    let read = parse(&String::from_utf8_lossy(&output.stdout));
    if read.len() != units.len() {
        let why = format!("it tells of {} units where {} were asked for", read.len(), units.len());
        return Err(ProbeError::unreadable("the answer of systemctl show", &why));
    }
    Ok(read)
}

/// Reads units as `systemctl show` writes them.
#[must_use]
pub fn parse(text: &str) -> Vec<Unit> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks
        .map(|block| {
            let mut unit = Unit { raw: block.trim().to_owned(), ..Unit::default() };
            for (name, value) in block.lines().filter_map(|line| line.split_once('=')) {
                unit.properties.entry(name.to_owned()).or_default().push(value.to_owned());
            }
            unit
        })
        .collect()
}

impl Unit {
    /// A property; empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.properties.get(name).and_then(|it| it.first()).map_or("", String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).parse().ok()
    }

    /// Its main process, while it has one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.get("MainPID").parse().ok().filter(|pid| *pid != 0)
    }

    /// Whether it does something, or is about to.
    pub(super) fn is_active(&self) -> bool {
        !matches!(self.get("ActiveState"), "inactive" | "failed")
    }

    /// Whether systemd has read it.
    pub(super) fn is_loaded(&self) -> bool {
        self.get("LoadState") == "loaded"
    }

    pub(super) fn is_missing(&self) -> bool {
        self.get("LoadState") == "not-found"
    }

    /// Whether somebody, or nobody yet, has switched it off: it has a way of being started at login, and is not.
    pub(super) fn is_disabled(&self) -> bool {
        matches!(self.get("UnitFileState"), "disabled" | "masked" | "masked-runtime")
    }

    pub(super) fn is_masked(&self) -> bool {
        self.get("LoadState") == "masked" || self.get("UnitFileState").starts_with("masked")
    }

    /// Why it cannot be loaded, in systemd's words without the error's name on D-Bus.
    #[must_use]
    pub fn load_error(&self) -> String {
        let error = self.get("LoadError");
        let words = error.split_once(' ').map_or(error, |(_, words)| words);
        words.trim_matches('"').trim_end_matches('.').to_owned()
    }

    /// Whether it failed as often as it may: the reason that remains where systemd no longer starts what it should.
    ///
    /// `Result` tells of the last failure rather than of the limit that it ran into.
    #[must_use]
    pub fn gave_up(&self) -> bool {
        let is_kept = !matches!(self.get("Restart"), "" | "no");
        let limit = matches!(self.get("Result"), "start-limit-hit" | "start-limit");
        self.get("ActiveState") == "failed"
            && (limit || is_kept && self.number("NRestarts").is_some_and(|it| it > 0))
    }

    /// The program of `ExecStart`; `None` where a shell of ours becomes one that is not told apart from its arguments.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        let rest = self.get("ExecStart").strip_prefix("{ path=")?;
        let (path, argv) = rest.split_once(" ; argv[]=")?;
        (!argv.starts_with(&THROUGH_SHELL.join(" "))).then_some(path)
    }

    /// Its own variables; `None` where a word of them cannot be read.
    #[must_use]
    pub fn environment(&self) -> Option<BTreeMap<String, String>> {
        let pair =
            |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        words(self.get("Environment"))?.into_iter().map(pair).collect()
    }

    /// How often its timer runs it.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        let timers = self.properties.get("TimersMonotonic")?;
        let rest = timers.iter().find_map(|it| it.strip_prefix("{ OnUnitActiveUSec="))?;
        duration(rest.split_once(" ;").map_or(rest, |(span, _)| span))
    }
}

/// Splits words as systemd quotes them for a shell.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut characters = text.chars();
    while let Some(it) = characters.next() {
        match it {
            // A `$'…'` holds escapes that are not worth knowing.
            '$' if word.is_none() && characters.as_str().starts_with('\'') => return None,
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            ' ' if !is_quoted => words.extend(word.take()),
            it => word.get_or_insert_default().push(it),
        }
    }
    words.extend(word);
    (!is_quoted).then_some(words)
}

/// A time span as systemd writes it, and as people write it for systemd: "1min 30s", "5 minutes", "90".
fn duration(text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].trim_start();
        let letters = unit.find(|it: char| !it.is_alphabetic()).unwrap_or(unit.len());
        let seconds = match &unit[..letters] {
            "us" | "usec" | "µs" | "μs" => 1e-6,
            "ms" | "msec" => 1e-3,
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            _ => return None,
        };
        sum = sum.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = unit[letters..].trim_start();
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_read_as_systemd_writes_them() {
        assert_eq!(duration("1min 30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1h 32min 59.024722s"), Some(Duration::from_micros(5_579_024_722)));
        assert_eq!(duration("infinity"), None);
        assert_eq!(duration("1h30m 5 seconds"), Some(Duration::from_secs(5_405)));
        assert_eq!(duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(
            duration("18000000000000000000s 18000000000000000000s"),
            None,
            "longer than there is time"
        );
    }

    #[test]
    fn words_are_read_as_systemd_quotes_them() {
        let read = words(r#""V_A=a b%\"\\é\$x" V_B= plain"#).expect("it is whole");
        assert_eq!(read, [r#"V_A=a b%"\é$x"#, "V_B=", "plain"]);
        assert_eq!(words("\"open"), None);
        assert_eq!(words("$'\\n'"), None);
    }

    #[test]
    fn units_are_told_apart_and_what_is_there_twice_is_kept() {
        let text = "TimersMonotonic={ OnUnitActiveUSec=2s ; next_elapse=0 }\n\
                    TimersMonotonic={ OnActiveUSec=0 ; next_elapse=1h }\nId=a.timer\n\nId=b.service\n\
                    ExecStart={ path=/a b/c ; argv[]=/a b/c x=y ; pid=0 }\n";
        let units = parse(text);
        assert_eq!(units.len(), 2);
        assert_eq!(units[0].interval(), Some(Duration::from_secs(2)));
        assert_eq!((units[1].get("Id"), units[1].program()), ("b.service", Some("/a b/c")));
    }

    #[test]
    fn a_unit_that_systemd_no_longer_starts_has_given_up() {
        let given_up = "Restart=on-failure\nResult=exit-code\nNRestarts=3\nActiveState=failed\n";
        assert!(parse(given_up)[0].gave_up());
        assert!(!parse(&given_up.replace("on-failure", "no"))[0].gave_up());
        assert!(!parse(&given_up.replace("=failed", "=activating"))[0].gave_up());
    }
}
