//! The built credoctl, run as an operator runs it: a folder with a context, a command line, what came out.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{oauth::random_text, stack::Stack};

/// An operator at a terminal that nobody sits at.
#[derive(Debug)]
pub struct Operator {
    folder: PathBuf,
    program: PathBuf,
    /// What `{name}` stands for in a command line.
    pub names: HashMap<String, String>,
    pub last: Option<Ran>,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Ran {
    pub code: i32,
    pub data: String,
    pub said: String,
}

impl Operator {
    /// Somebody who may do what the first admin client may.
    ///
    /// # Errors
    /// If the context cannot be written.
    pub fn new(stack: &Stack) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("credoctl-{}", random_text()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.join("contexts"))?;
        let mut operator = Self {
            folder,
            program: stack.local_program.with_file_name("credoctl"),
            names: HashMap::new(),
            last: None,
        };
        let service = |name: &str| -> Result<Value> {
            let service = stack.service(name)?;
            Ok(json!({ "grpc": { "url": service.grpc }, "management": service.management }))
        };
        let secret_file = operator.file("admin-secret", &stack.admin.client_secret)?;
        let context = json!({
            "public": { "url": stack.base_url },
            "auth": service("auth-api")?,
            "relay": service("outbox-relay")?,
            "audit": service("audit-consumer")?,
            "client": { "client_id": stack.admin.client_id, "secret_file": secret_file },
        });
        operator.file("contexts/test.json", &context.to_string())?;
        operator.file("current", "test")?;
        let id = uuid::Uuid::new_v4();
        operator.names.insert("uuid".to_owned(), id.to_string());
        operator.names.insert("slug".to_owned(), format!("c{}", id.simple()));
        Ok(operator)
    }

    /// Puts a private file into the operator's folder; where it is.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn file(&mut self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        self.names.insert(format!("file:{name}"), path.display().to_string());
        Ok(path)
    }

    /// The operator's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a command line. Single quotes keep words together, `{name}` stands for what is known by that name.
    ///
    /// # Errors
    /// If the program is not there.
    pub async fn run(&mut self, line: &str) -> Result<&Ran> {
        let output = Command::new(&self.program)
            .args(self.words(line)?)
            .env("CREDO_CONFIG_DIR", &self.folder)
            .env_remove("CREDO_CONTEXT")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("{} cannot be run", self.program.display()))?;
        let ran = Ran {
            code: output.status.code().unwrap_or(-1),
            data: String::from_utf8_lossy(&output.stdout).into_owned(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        Ok(self.last.insert(ran))
    }

    /// What the last command came to.
    ///
    /// # Errors
    /// If there was none.
    pub fn last(&self) -> Result<&Ran> {
        self.last.as_ref().context("the operator ran nothing yet")
    }

    /// A text with what its names stand for.
    ///
    /// # Errors
    /// If a name is not known.
    pub fn filled(&self, text: &str) -> Result<String> {
        let mut filled = text.to_owned();
        for (name, value) in &self.names {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        ensure!(!filled.contains('{'), "{filled} names what is not known");
        Ok(filled)
    }

    fn words(&self, line: &str) -> Result<Vec<String>> {
        let mut words = Vec::new();
        for (index, part) in self.filled(line)?.split('\'').enumerate() {
            if index % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(ToOwned::to_owned));
            }
        }
        Ok(words)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // A folder left behind in the system's temporary one does no harm.
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Ran {
    /// Its data as JSON.
    ///
    /// # Errors
    /// If they are none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.data).with_context(|| format!("no JSON: {self:?}"))
    }
}
