//! The plan of a mend, and what came of it.
