//! `launchctl print` is read right or not at all, wherever its output is cut off.

use housecall::services::launchd::exit_codes;
use housecall::services::launchd::print::Print;

/// Longer outputs are cut at fewer places.
const CUTS: usize = 200;

/// A part of the output never says what the whole denies, and no output is too strange to be explained.
///
/// # Panics
/// Where that does not hold.
pub fn launchctl_print(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let whole = Print::parse(&text);
    if let Some(print) = &whole {
        assert!(!print.label.is_empty(), "a job without a label");
        let _ = (print.is_in_penalty_box(), print.is_draining());
        if let Some(exit) = &print.last_exit {
            assert!(!exit_codes::job(exit, print.execs).is_empty(), "an end without a word");
        }
    }
    let step = (text.len() / CUTS).max(1);
    for end in (0..text.len()).step_by(step).filter(|&end| text.is_char_boundary(end)) {
        let Some(part) = Print::parse(&text[..end]) else { continue };
        let Some(whole) = &whole else { panic!("the first {end} bytes are a job, and the whole is none") };
        agree(&part, whole, end);
    }
}

/// What both say is the same; the whole may say less, where a thing is said twice.
fn agree(part: &Print, whole: &Print, end: usize) {
    macro_rules! agree {
        ($($field:ident),*) => {$(
            if let (Some(part), Some(whole)) = (&part.$field, &whole.$field) {
                assert_eq!(part, whole, concat!(stringify!($field), " after {} bytes"), end);
            }
        )*};
    }
    assert_eq!((&part.target, &part.label), (&whole.target, &whole.label), "after {end} bytes");
    agree!(domain, path, kind, program, arguments, working_directory, stdout_path, stderr_path);
    agree!(environment, inherited_environment, default_environment, state, job_state, pid, runs, forks);
    agree!(execs, last_exit, successive_crashes, immediate_reason, run_interval, minimum_runtime);
    agree!(exit_timeout, properties);
}
