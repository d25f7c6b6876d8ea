//! Reports as users see them: whole outputs, made from examinations given as values.

/// Compares a whole output with its file in `tests/snapshots`.
macro_rules! shown {
    ($($what:expr),+ $(,)?) => {
        insta::with_settings!({ snapshot_path => "../snapshots" }, { insta::assert_snapshot!($($what),+) })
    };
}
mod chance;
mod formats;
mod given;
mod parsed;
mod properties;
mod schema;
mod verdicts;
mod mends;
mod outside;
