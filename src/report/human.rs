//! The verdict for people: the cause first and how we know it, or a few calm lines.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::style::{Look, Styles};
use super::words::{self, Against, clean_line, hang, wrap};
use super::{CheckReport, EvidenceReport, Report, Status, Verdict};
use crate::check::{Group, Severity};

pub(super) mod problem;

/// How a report is to be written.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The width of the terminal, in characters; none: what is a line by itself stays one, however long.
    pub width: Option<usize>,
    /// The looks of the roles.
    pub styles: Styles,
    /// How much is told.
    pub detail: Detail,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// The last line only: `-q`.
    LastLine,
    /// What is wrong, and the last line.
    Problems,
    /// What matters.
    #[default]
    Normal,
    /// Every check with its facts, times and commits in full: `-v`.
    Everything,
}

impl Default for View {
    fn default() -> Self {
        Self { width: None, styles: Styles::default(), detail: Detail::Normal }
    }
}

impl View {
    /// How long a line of a text may be, in characters.
    #[must_use]
    pub fn room(&self) -> usize {
        self.width.unwrap_or(100)
    }
}

/// Writes a report.
#[must_use]
pub fn render(report: &Report, view: &View) -> String {
    write(report, view, "")
}

/// Writes the report that follows a mend; its last line says what there was before.
#[must_use]
pub fn render_after(before: &Report, report: &Report, view: &View) -> String {
    let was = match before.causes.as_slice() {
        [] => before.verdict.to_string(),
        causes => format!("{}, {}", before.verdict, few(causes)),
    };
    write(report, view, &format!(" (was: {})", clean_line(&was)))
}

fn write(report: &Report, view: &View, was: &str) -> String {
    let last = format!("{}{was}", last_line(report, Styles::default()));
    let last = hang("", 2, &last, view.width, Look::default());
    // Painted last, so that the looks count for nothing where lines are broken.
    let last = last.replacen(&report.verdict.to_string(), &verdict(report, view.styles), 1);
    if view.detail == Detail::LastLine {
        return last;
    }
    let problems = problem::all(report, view);
    if view.detail == Detail::Problems {
        return format!("{problems}\n{last}");
    }
    let mut text = hang("", 2, &title(report), view.width, Look::default());
    text.push('\n');
    if report.verdict == Verdict::Stopped {
        let _ = writeln!(text, "        start  {} start\n", report.about.command);
    }
    if !problems.is_empty() {
        text.push_str(&problems);
        text.push('\n');
    }
    let rest = match view.detail {
        Detail::Everything => everything(report, view),
        _ if report.verdict == Verdict::Healthy => calm(report, view),
        _ => summary(report, view),
    };
    if !rest.is_empty() {
        text.push_str(&rest);
        text.push('\n');
    }
    text.push_str(&last);
    text
}

/// What is examined, and whether it does its work; claimed only where the links that make it true were seen.
fn title(report: &Report) -> String {
    let about = &report.about;
    let name = clean_line(&report.mirror.name);
    let worktree = || about.worktree.as_ref().map(|path| words::tilde(&path.to_string_lossy(), &about.home));
    let place = about.url.as_deref().map(words::clean).or_else(worktree);
    if report.verdict == Verdict::Stopped {
        let since = about
            .stopped
            .map_or_else(String::new, |at| format!(" {}", words::moment(at, against(report, false))));
        return format!("{name} · stopped by its user{since}; no repair starts it");
    }
    let (Some(place), Some(upstream)) = (&place, &about.upstream) else {
        return place.map_or_else(|| name.clone(), |place| format!("{name} · {place}"));
    };
    let passes = |id: &str| {
        let mut units = report.checks.iter().filter(|check| check.id == id).peekable();
        units.peek().is_some() && units.all(|check| check.status == Status::Pass)
    };
    let broken = |check: &CheckReport| check.severity == Severity::Error && check.saw_failure();
    let upstream = clean_line(upstream);
    match report.verdict {
        Verdict::Healthy if passes("sha-parity") && (about.url.is_none() || passes("http-status")) => {
            format!("{name} · {place} mirrors {upstream}")
        }
        Verdict::Unhealthy if report.checks.iter().any(broken) => {
            format!("{name} · {place} does not mirror {upstream}")
        }
        Verdict::Undetermined => format!("{name} · it cannot be told whether {place} mirrors {upstream}"),
        _ => format!("{name} · {place}"),
    }
}

/// The verdict in one line, with its counts.
pub(super) fn last_line(report: &Report, styles: Styles) -> String {
    let counts = &report.counts;
    let verb = |count: usize, verb: &str| match count {
        0 => None,
        1 => Some(format!("1 {verb}s")),
        count => Some(format!("{count} {verb}")),
    };
    let word = |count: usize, word: &str| (count > 0).then(|| format!("{count} {word}"));
    let passes = match (report.verdict, counts.pass) {
        (Verdict::Healthy, 1) => Some("1 check passes".to_owned()),
        (Verdict::Healthy, count) => Some(format!("{count} checks pass")),
        (_, 1) => Some("1 passes".to_owned()),
        (_, count) => Some(if count == 0 { "nothing passes".to_owned() } else { format!("{count} pass") }),
    };
    let bad = [
        verb(counts.fail, "fail"),
        verb(counts.warn, "warn"),
        word(counts.info, "info"),
        word(counts.accepted, "accepted"),
        word(counts.unknown, "unknown"),
        word(counts.pending, "pending"),
        word(counts.blocked, "blocked"),
    ];
    let skipped = word(counts.skip, "skipped");
    let parts: Vec<String> = if report.verdict == Verdict::Healthy {
        [passes].into_iter().chain(bad).chain([skipped]).flatten().collect()
    } else {
        bad.into_iter().chain([passes, skipped]).flatten().collect()
    };
    format!("{}: {} in {}", verdict(report, styles), parts.join(", "), words::took(report.took_ms))
}

/// The verdict's own word.
fn verdict(report: &Report, styles: Styles) -> String {
    let look = match report.verdict {
        Verdict::Healthy => styles.good,
        Verdict::Unhealthy => styles.fail,
        Verdict::Undetermined => styles.unknown,
        Verdict::Stopped => styles.warn,
    };
    look.paint(report.verdict)
}

/// A line for each link of the chain, made of what the passing looks learned.
fn calm(report: &Report, view: &View) -> String {
    let mut text = String::new();
    for group in groups(report) {
        let passing =
            || report.checks.iter().filter(|check| check.group == group && check.status == Status::Pass);
        let notes: Vec<String> =
            passing().filter_map(|check| check.message.as_deref()).map(clean_line).collect();
        let told = match (notes.is_empty(), passing().count()) {
            (_, 0) => continue,
            (true, 1) => "1 check passes".to_owned(),
            (true, count) => format!("{count} checks pass"),
            (false, _) if notes.iter().any(|note| note.contains(", ")) => notes.join("; "),
            (false, _) => notes.join(", "),
        };
        let told = words::tilde_within(&told, &report.about.home);
        text.push_str(&labelled(2, 12, &clean_line(group), &told, view, Look::default()));
    }
    text + &accepted(report, view, 12) + &skipped(report, view, 12)
}

/// The groups, in the order in which they are first met: the links of the chain, then the user's own.
fn groups(report: &Report) -> Vec<&str> {
    let mut groups: Vec<&str> = Vec::new();
    for check in &report.checks {
        if !groups.contains(&&*check.group) {
            groups.push(&check.group);
        }
    }
    groups
}

/// What is well, in numbers, where something else has the word.
fn summary(report: &Report, view: &View) -> String {
    let of_group = |group: &str| {
        let passing = |check: &&CheckReport| check.group == group && check.status == Status::Pass;
        let count = report.checks.iter().filter(passing).count();
        (count > 0).then(|| format!("{} {count}", clean_line(group)))
    };
    let groups: Vec<String> = groups(report).into_iter().filter_map(of_group).collect();
    let mut text = String::new();
    if !groups.is_empty() {
        text.push_str(&labelled(2, 6, "ok", &groups.join(", "), view, view.styles.good));
    }
    text + &accepted(report, view, 6) + &skipped(report, view, 6)
}

/// What fails, or is not looked at, and is lived with.
fn accepted(report: &Report, view: &View, width: usize) -> String {
    let told = report.checks.iter().filter_map(|check| {
        let accepted = check.accepted.as_ref()?;
        let (unit, reason) = (clean_line(&check.unit()), clean_line(&accepted.reason));
        let state = if check.is_unchecked() { "is not all looked at" } else { "fails" };
        Some(format!("{unit} {state}, accepted until {} ({reason})", accepted.until))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return String::new();
    }
    labelled(2, width, "known", &told.join("; "), view, view.styles.warn)
}

/// What was not asked, by reason.
fn skipped(report: &Report, view: &View, width: usize) -> String {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for check in report.checks.iter().filter(|check| check.status == Status::Skip) {
        let reason = check.message.as_deref().map(clean_line).unwrap_or_default();
        let at = *known.entry(reason).or_insert_with_key(|reason| {
            reasons.push((reason.clone(), Vec::new()));
            reasons.len() - 1
        });
        reasons[at].1.push(check.unit());
    }
    if reasons.is_empty() {
        return String::new();
    }
    let is_job = |check: &&CheckReport| check.group == Group::Jobs.name();
    let jobs: HashSet<String> = report.checks.iter().filter(is_job).map(CheckReport::unit).collect();
    let told: Vec<String> = reasons
        .iter()
        .map(|(reason, units)| format!("{} ({reason})", clean_line(&shortened(&jobs, units).join(", "))))
        .collect();
    labelled(2, width, "skip", &told.join("; "), view, view.styles.quiet)
}

/// The jobs together by their group's name, where all of them are there.
fn shortened(jobs: &HashSet<String>, units: &[String]) -> Vec<String> {
    let first = units.iter().position(|unit| jobs.contains(unit));
    match first {
        // A unit stands once, so as many as there are jobs are all of them.
        Some(first)
            if jobs.len() > 1 && units.iter().filter(|it| jobs.contains(*it)).count() == jobs.len() =>
        {
            let mut short: Vec<String> = units.iter().filter(|unit| !jobs.contains(*unit)).cloned().collect();
            short.insert(first, Group::Jobs.name().to_owned());
            short
        }
        _ => units.to_vec(),
    }
}

/// Every check that is no problem, with its facts.
fn everything(report: &Report, view: &View) -> String {
    let mut text = String::new();
    let told = |check: &&CheckReport| matches!(check.status, Status::Pass | Status::Skip | Status::Blocked);
    for check in report.checks.iter().filter(told) {
        let look = if check.status == Status::Pass { view.styles.good } else { view.styles.quiet };
        let mark = look.paint(format!("{:<9}", check.status.to_string()));
        let unit = clean_line(&check.unit());
        let message = check.message.as_deref().unwrap_or(&check.summary);
        let message = words::tilde_within(&clean_line(message), &report.about.home);
        let told = format!("{message} · {}", words::took(check.took_ms));
        let beside = view.width.map(|width| width.saturating_sub(9 + unit.chars().count() + 2));
        let unit = view.styles.unit.paint(unit);
        if beside.is_none_or(|room| told.chars().count() <= room) {
            let _ = writeln!(text, "{mark}{unit}  {told}");
        } else {
            let _ = writeln!(text, "{mark}{unit}");
            text.push_str(&hang("         ", 9, &told, view.width, Look::default()));
        }
        text.push_str(&facts(&check.evidence, report, view));
        text.push_str(&saw(check, report, view));
    }
    text
}

/// What a blocked unit saw all the same.
pub(super) fn saw(check: &CheckReport, report: &Report, view: &View) -> String {
    let Some(seen) = &check.seen else { return String::new() };
    let message = seen.message.as_deref().map(clean_line).unwrap_or_default();
    let saw = format!("{}  {message}", seen.status);
    labelled(8, 10, "saw", saw.trim_end(), view, view.styles.quiet) + &facts(&seen.evidence, report, view)
}

/// The evidence, aligned; what shares a label shares a line.
fn facts(evidence: &[EvidenceReport], report: &Report, view: &View) -> String {
    let against = against(report, view.detail == Detail::Everything);
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for it in evidence {
        let (label, fact) = (clean_line(&it.label), words::fact(&it.fact, against));
        match lines.last_mut() {
            Some((known, facts)) if *known == label => facts.push(fact),
            _ => lines.push((label, vec![fact])),
        }
    }
    let longest = lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (label, facts) in lines {
        text.push_str(&labelled(
            8,
            longest.clamp(8, 16) + 2,
            &label,
            &facts.join(", "),
            view,
            view.styles.quiet,
        ));
    }
    text
}

/// A label and its text, which wraps beside it.
fn labelled(indent: usize, label_width: usize, label: &str, told: &str, view: &View, look: Look) -> String {
    let mut text = String::new();
    let room = view.room().saturating_sub(indent + label_width).max(24);
    let mut head = look.paint(format!("{label:<label_width$}"));
    if label.chars().count() >= label_width {
        head.push_str("  ");
    }
    for line in wrap(told, room) {
        let line = format!("{:indent$}{head}{line}", "");
        let _ = writeln!(text, "{}", line.trim_end());
        head = " ".repeat(label_width);
    }
    text
}

fn against(report: &Report, exact: bool) -> Against<'_> {
    Against { now: report.at, home: &report.about.home, exact }
}

/// The first three names, and how many more there are.
fn few(names: &[String]) -> String {
    match names {
        [first, second, third, _, ..] => {
            format!("{first}, {second}, {third} and {} more", names.len() - 3)
        }
        names => names.join(", "),
    }
}
