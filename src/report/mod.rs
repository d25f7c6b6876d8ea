//! The one public, versioned shape; every format is a pure function of it.
