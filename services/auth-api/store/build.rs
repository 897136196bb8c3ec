//! Lists the statements, so that metrics can name each by its file.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script where to write in its environment"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=sql");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("sql");
    let mut files = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let mut list = format!(
        "/// Each statement's name and text.\npub const STATEMENTS: [(&str, &str); {}] = [\n",
        files.len()
    );
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({name:?}, include_str!({:?})),", file.display().to_string())?;
    }
    list.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("statements.rs"), list)?;
    Ok(())
}
