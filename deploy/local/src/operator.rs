//! What credoctl needs to administrate the stack: a folder with one context, and the secrets that it names as files.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{file, layout::Layout, stack_file::StackFile};

/// What the context is called.
const CONTEXT: &str = "local";

/// The folder, for `CREDO_CONFIG_DIR`.
pub fn folder(layout: &Layout) -> PathBuf {
    layout.file("credoctl")
}

/// Writes the folder, if there is an admin client and a demo tenant.
///
/// # Errors
/// If the file system refuses.
pub fn write(layout: &Layout, stack: &StackFile) -> Result<()> {
    let Some(((admin, demo), client)) = stack
        .admin
        .as_ref()
        .zip(stack.demo.as_ref())
        .zip(stack.client("first-party"))
    else {
        return Ok(());
    };
    let folder = folder(layout);
    let contexts = folder.join("contexts");
    std::fs::create_dir_all(&contexts).with_context(|| format!("cannot make {}", contexts.display()))?;
    let secret = |name: &str, text: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        file::write_private(&path, text.as_bytes())?;
        Ok(path)
    };
    let user = demo.users.first();
    let context = json!({
        "public": { "url": stack.base_url },
        "auth": service(stack, "auth-api"),
        "relay": service(stack, "outbox-relay"),
        "audit": service(stack, "audit-consumer"),
        "tenant": demo.tenant,
        "client": { "client_id": admin.client_id, "secret_file": secret("admin-secret", &admin.client_secret)? },
        "smoke": {
            "tenant": demo.tenant,
            "client_id": client.client_id,
            "secret_file": secret("smoke-secret", client.client_secret.as_deref().unwrap_or_default())?,
            "redirect_uri": client.redirect_uris.first(),
            "email": user.map(|user| user.email.as_str()),
            "password_file": secret("smoke-password", user.map_or("", |user| user.password.as_str()))?,
        },
    });
    let text = serde_json::to_vec_pretty(&context).context("the context cannot be written as JSON")?;
    file::write_private(&contexts.join(format!("{CONTEXT}.json")), &text)?;
    file::write_private(&folder.join("current"), CONTEXT.as_bytes())
}

fn service(stack: &StackFile, name: &str) -> Value {
    stack.services.get(name).map_or(
        json!({}),
        |service| json!({ "grpc": { "url": service.grpc }, "management": service.management }),
    )
}
