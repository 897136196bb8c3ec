//! Builds again when a migration is added: the compiler alone sees only changes of those that it knows.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
