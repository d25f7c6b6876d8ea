//! `systemctl show` is read, whatever stands in a unit's properties.

use housecall::services::systemd::show::parse;

/// As many units as there are blocks, and each of their properties is read or unknown.
///
/// # Panics
/// Where that does not hold.
pub fn systemctl_show(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let units = parse(&text);
    assert_eq!(units.len(), text.split("\n\n").filter(|it| !it.trim().is_empty()).count());
    for unit in &units {
        assert!(text.contains(&unit.raw), "it is kept as it was written");
        assert_ne!(unit.pid(), Some(0), "a process that is none");
        let _ = (unit.gave_up(), unit.load_error(), unit.program(), unit.interval());
        let names = unit.environment().unwrap_or_default();
        assert!(names.len() <= unit.get("Environment").len(), "more variables than letters");
    }
}
