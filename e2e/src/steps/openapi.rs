//! The fuzzer that calls every operation of the `OpenAPI` document.

use std::{path::Path, process::Stdio};

use anyhow::Context as _;
use cucumber::then;
use tokio::process::Command;

use crate::{
    failure::{Result, ensure},
    world::CredoWorld,
};

#[then(regex = r"^a fuzzer with (\w+)'s secret and the tokens of the (\w+) and the (\w+) finds no fault$")]
pub async fn fuzz(world: &mut CredoWorld, client: String, session: String, other: String) -> Result {
    let client = world.client(&client)?;
    let slug = client.issuer.rsplit('/').next().context("the issuer has no slug")?;
    let program = world.stack.tools.join("schemathesis/bin/python");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/schemathesis.toml");
    let output = Command::new(program)
        .args(["-B", "-m", "schemathesis.cli", "--no-color", "--config-file"])
        .arg(config)
        .arg("run")
        .arg(format!("{}/openapi.json", world.stack.base_url))
        .envs([
            ("CREDO_FUZZ_SLUG", slug),
            ("CREDO_FUZZ_CLIENT", &client.id),
            ("CREDO_FUZZ_SECRET", &client.secret),
            ("CREDO_FUZZ_TOKEN", &world.session(&session)?.newest()?.access_token),
            ("CREDO_FUZZ_OTHER_TOKEN", &world.session(&other)?.newest()?.access_token),
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("schemathesis cannot be run")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}\n{errors}", output.status);
    Ok(())
}
