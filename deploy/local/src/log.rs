//! One log file per part. It is appended to, and set aside at a start when it has grown.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use anyhow::{Context as _, Result};

/// A log that is larger than this at a start becomes `….log.1`.
const MAX_BYTES: u64 = 16 << 20;
/// At most this much of the end is looked at for a tail.
const TAIL_BYTES: u64 = 8 << 10;
const TAIL_LINES: usize = 12;

/// Opens a log for appending. Returns it and where the new part begins.
///
/// # Errors
/// If the file system refuses.
pub fn open(path: &Path) -> Result<(File, u64)> {
    let context = || format!("cannot write {}", path.display());
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        fs::rename(path, path.with_extension("log.1")).with_context(context)?;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(context)?;
    let begin = file.metadata().with_context(context)?.len();
    Ok((file, begin))
}

/// The last lines that were written after `begin`, indented for the terminal.
pub fn tail(path: &Path, begin: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(begin.max(length.saturating_sub(TAIL_BYTES))))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(TAIL_LINES));
    let mut tail = last
        .map(|line| format!("    | {}\n", shorten(line)))
        .collect::<Vec<_>>()
        .concat();
    if tail.is_empty() {
        "    | (it wrote nothing)\n".clone_into(&mut tail);
    }
    tail + &format!("    all of it: {}", path.display())
}

fn shorten(line: &str) -> String {
    const WIDTH: usize = 500;
    let mut short: String = line.chars().filter(|c| !c.is_control()).take(WIDTH).collect();
    if line.chars().count() > WIDTH {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use std::{env, io::Write as _, process};

    use super::*;

    #[test]
    fn tail_leaves_out_what_an_earlier_run_wrote() {
        let path = env::temp_dir().join(format!("credo-log-{}.log", process::id()));
        fs::write(&path, "from before\n").unwrap();
        let (mut file, begin) = open(&path).unwrap();
        for n in 0..20 {
            writeln!(file, "line {n}").unwrap();
        }
        let tail = tail(&path, begin);
        assert!(
            !tail.contains("before") && !tail.contains("line 7\n") && tail.contains("line 8\n"),
            "{tail}"
        );
        fs::remove_file(path).unwrap();
    }
}
