//! Where the recorded outputs are: all in `tests/snapshots`, whatever file compares with them.

/// Compares a whole output with its file in `tests/snapshots`, as `insta::assert_snapshot` does with one beside the test.
#[macro_export]
macro_rules! shown {
    ($($what:expr),+ $(,)?) => {{
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
        insta::with_settings!({ snapshot_path => folder }, { insta::assert_snapshot!($($what),+) })
    }};
}
