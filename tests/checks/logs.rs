//! What the logs say.
