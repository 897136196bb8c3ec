//! Slugs and e-mail addresses for ids.

use prost_reflect::{DynamicMessage, Value};
use uuid::Uuid;

use super::items;
use crate::{
    failure::{Failure, Result},
    output::cell,
    wire::{Host, Wire, method},
};

/// The id of a tenant by slug or id; without a name that of the context.
///
/// # Errors
/// If none is named, or there is none.
pub async fn tenant_id(wire: &Wire<'_>, named: Option<&str>) -> Result<String> {
    let named = named.or(wire.chosen.context.tenant.as_deref()).ok_or_else(|| {
        Failure::usage("which tenant?")
            .next("--tenant SLUG, CREDO_TENANT, or `credoctl context add NAME --tenant SLUG`")
    })?;
    if Uuid::try_parse(named).is_ok() {
        return Ok(named.to_owned());
    }
    found(wire, "TenantService.GetTenant", &[("slug", named)], "tenant_id").await
}

/// The id of a person by e-mail address or id.
///
/// # Errors
/// If there is none.
pub async fn user_id(wire: &Wire<'_>, tenant_id: &str, named: &str) -> Result<String> {
    if !named.contains('@') {
        return Ok(named.to_owned());
    }
    found(
        wire,
        "UserService.LookUpUser",
        &[("tenant_id", tenant_id), ("email", named)],
        "user_id",
    )
    .await
}

async fn found(wire: &Wire<'_>, name: &str, fields: &[(&str, &str)], id: &str) -> Result<String> {
    let method = method(name).ok_or_else(|| Failure::error(format!("{name} is no method")))?;
    let mut request = DynamicMessage::new(method.input());
    for (name, value) in fields {
        request.set_field_by_name(name, Value::String((*value).to_owned()));
    }
    let answer = wire.call(Host::Auth, &method, &request).await?;
    let item = items(&answer).into_iter().next();
    item.map(|item| cell::at(&item, id))
        .ok_or_else(|| Failure::error(format!("{name} answered nothing")))
}
