//! The operator's program: the three admin APIs, and the OAuth endpoints, from a terminal.

fn main() {}
