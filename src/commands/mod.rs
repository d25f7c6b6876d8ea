//! What the verbs do, each in its own file; none of them prints.

pub mod fix;
pub mod sync;
