//! The rplay command.
fn main() {}
