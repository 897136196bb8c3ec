//! Compiles the definitions with a pure-Rust compiler, so that a build needs no protoc.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 15] = [
    "credo/admin/v1/permission.proto",
    "credo/admin/v1/error_reason.proto",
    "credo/admin/v1/tenant_service.proto",
    "credo/admin/v1/cache_service.proto",
    "credo/admin/v1/client_service.proto",
    "credo/admin/v1/user_service.proto",
    "credo/admin/v1/session_service.proto",
    "credo/admin/v1/signing_key_service.proto",
    "credo/admin/v1/consent_service.proto",
    "credo/admin/v1/rate_limit_service.proto",
    "credo/admin/v1/outbox_service.proto",
    "credo/admin/v1/audit_service.proto",
    "credo/admin/v1/debug_service.proto",
    "credo/events/v1/event.proto",
    "credo/events/v1/trace_carrier.proto",
];

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script where to write in its environment"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=credo");
    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Encoded by the compiler itself: prost's own messages drop options that they do not know, the permissions among them.
    fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .generate_default_stubs(true)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
