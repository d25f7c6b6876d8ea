//! Parse, call, print, exit: the only file that prints.

fn main() {}
