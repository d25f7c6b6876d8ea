//! Every check in every world that matters to it, the worlds given as values.

mod logs;
mod runtime;
mod worlds;
