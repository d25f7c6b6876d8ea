//! The tools that the jobs find, and the one that serves.
