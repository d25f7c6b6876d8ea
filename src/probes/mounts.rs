//! Which volume a path is on, from the mount table alone: no path is touched.
