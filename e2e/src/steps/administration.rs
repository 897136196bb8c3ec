//! Operators, and those who would like to be.

use std::time::Duration;

use anyhow::{Context as _, bail};
use credo_proto::{
    admin::v1::{
        GetClientRequest, GetTenantRequest, GetUserRequest, LookUpUserRequest, QueryEventsRequest,
        get_tenant_request::By,
    },
    events::v1::{Core, core::Details},
};
use cucumber::{then, when};
use prost::Message as _;
use serde_json::Value;
use tonic::{Code, Status};

use crate::{
    admin::Admin,
    failure::{Result, ensure},
    methods::Method,
    oauth::random_text,
    patience::eventually,
    world::CredoWorld,
};

const STORE_TIME: Duration = Duration::from_secs(20);

/// `the operator` is the first admin client; every other name is that of a machine client of the scenario.
async fn admin_of(world: &CredoWorld, name: &str) -> anyhow::Result<Admin> {
    if name == "the operator" {
        return Ok(world.admin.clone());
    }
    let token = world
        .api
        .client_credentials(world.client(name)?, None)
        .await?
        .tokens()?
        .access_token;
    Admin::bearing(world.stack, Some(&token))
}

#[when(regex = r"^(the operator|\w+) (disables|enables) the (user|client) (\w+)$")]
pub async fn set_enabled(world: &mut CredoWorld, actor: String, verb: String, kind: String, name: String) -> Result {
    let (admin, on) = (admin_of(world, &actor).await?, verb == "enables");
    let outcome = if kind == "user" {
        let user = world.user(&name)?;
        admin.set_user_enabled(&user.tenant_id, &user.id, on).await.map(drop)
    } else {
        let client = world.client(&name)?;
        admin
            .set_client_enabled(&client.tenant_id, &client.id, on)
            .await
            .map(drop)
    };
    conclude(world, outcome);
    Ok(())
}

#[when(regex = r"^(the operator|\w+) reads the (user|client|tenant|trail)(?: of)? (\w+)$")]
pub async fn reads(world: &mut CredoWorld, actor: String, kind: String, name: String) -> Result {
    let admin = admin_of(world, &actor).await?;
    let outcome = match kind.as_str() {
        "user" => {
            let (tenant_id, user_id) = (world.user(&name)?.tenant_id.clone(), world.user(&name)?.id.clone());
            admin
                .users()
                .get_user(GetUserRequest { tenant_id, user_id })
                .await
                .map(drop)
        }
        "client" => {
            let (tenant_id, client_id) = (world.client(&name)?.tenant_id.clone(), world.client(&name)?.id.clone());
            admin
                .clients()
                .get_client(GetClientRequest { tenant_id, client_id })
                .await
                .map(drop)
        }
        "tenant" => {
            let by = Some(By::TenantId(world.user(&name)?.tenant_id.clone()));
            admin.tenants().get_tenant(GetTenantRequest { by }).await.map(drop)
        }
        _ => {
            let tenant_id = world.user(&name)?.tenant_id.clone();
            admin
                .events(QueryEventsRequest {
                    tenant_id,
                    ..QueryEventsRequest::default()
                })
                .await
                .map(drop)
        }
    };
    conclude(world, outcome);
    Ok(())
}

#[when(regex = r"^(the operator|\w+) looks up (\w+) by e-mail in (?:his|her|its) own tenant$")]
pub async fn looks_up(world: &mut CredoWorld, actor: String, name: String) -> Result {
    let admin = admin_of(world, &actor).await?;
    let request = LookUpUserRequest {
        tenant_id: world.client(&actor)?.tenant_id.clone(),
        email: world.user(&name)?.email.clone(),
    };
    let outcome = admin.users().look_up_user(request).await.map(drop);
    conclude(world, outcome);
    Ok(())
}

#[when(regex = r"^(the operator|\w+) makes a tenant$")]
pub async fn makes_tenant(world: &mut CredoWorld, actor: String) -> Result {
    let admin = admin_of(world, &actor).await?;
    let outcome = admin
        .create_tenant(&format!("t{}", &random_text()[..20]))
        .await
        .map(drop);
    conclude(world, outcome);
    Ok(())
}

#[when(regex = r"^the operator makes the tenant again$")]
pub async fn makes_tenant_again(world: &mut CredoWorld) -> Result {
    let slug = world.tenant()?.issuer.rsplit('/').next().context("no slug")?.to_owned();
    let outcome = world.admin.create_tenant(&slug).await.map(drop);
    conclude(world, outcome);
    Ok(())
}

fn conclude<T>(world: &mut CredoWorld, outcome: std::result::Result<T, Status>) {
    world.status = Some(outcome.err().unwrap_or_else(|| Status::new(Code::Ok, "")));
}

fn code_of(name: &str) -> anyhow::Result<Code> {
    Ok(match name {
        "UNAUTHENTICATED" => Code::Unauthenticated,
        "PERMISSION_DENIED" => Code::PermissionDenied,
        "NOT_FOUND" => Code::NotFound,
        "ALREADY_EXISTS" => Code::AlreadyExists,
        other => bail!("what is {other}?"),
    })
}

#[then(regex = r"^the call succeeds$")]
pub async fn call_succeeds(world: &mut CredoWorld) -> Result {
    let status = world.status.as_ref().context("nothing was called")?;
    ensure!(status.code() == Code::Ok, "{status}");
    Ok(())
}

#[then(regex = r"^the call is refused as (\w+)$")]
pub async fn call_is_refused(world: &mut CredoWorld, code: String) -> Result {
    let status = world.status.as_ref().context("nothing was called")?;
    ensure!(status.code() == code_of(&code)?, "{status}");
    Ok(())
}

#[then(regex = r"^every method of the admin APIs refuses (.+) as (\w+)$")]
pub async fn every_method_refuses(world: &mut CredoWorld, caller: String, code: String) -> Result {
    let (methods, code) = (Method::all()?, code_of(&code)?);
    ensure!(methods.len() > 10, "there are only {} methods", methods.len());
    for method in methods {
        let admin = caller_of(world, &caller, &method).await?;
        let answered = method.call(&admin).await?;
        ensure!(answered == code, "{method} answers {answered:?} to {caller}");
    }
    Ok(())
}

async fn caller_of(world: &CredoWorld, caller: &str, method: &Method) -> anyhow::Result<Admin> {
    let (stack, api) = (world.stack, &world.api);
    match caller {
        "a caller without a token" => Admin::bearing(stack, None),
        "a caller with a random token" => Admin::bearing(stack, Some(&random_text())),
        "a caller with a person's token" => Admin::bearing(stack, Some(&world.session("")?.newest()?.access_token)),
        "a caller with a machine's token" => Admin::bearing(stack, Some(&world.machine_token()?)),
        "a caller with another permission" => {
            let scope = if method.service == "OutboxService" {
                "credo.user.read"
            } else {
                "credo.outbox.read"
            };
            Admin::system_with_scope(stack, api, scope).await
        }
        other => bail!("who is {other}?"),
    }
}

#[then(regex = r"^every service tells anybody that it serves$")]
pub async fn health_is_open(world: &mut CredoWorld) -> Result {
    let nobody = Admin::bearing(world.stack, None)?;
    for service in ["TenantService", "OutboxService", "AuditService"] {
        let answered = Method::health(service).call(&nobody).await?;
        ensure!(answered == Code::Ok, "the health of {service} is {answered:?}");
    }
    Ok(())
}

#[then(
    regex = r"^the trail tells once that the (user|client) (\w+) was (created|disabled|enabled), with status (\w+) before and (\w+) after$"
)]
pub async fn trail_tells(world: &mut CredoWorld, words: &[String]) -> Result {
    let [kind, name, verb, before, after] = words else {
        return Err(anyhow::anyhow!("the sentence has {} parts", words.len()).into());
    };
    let (tenant_id, id) = if kind == "user" {
        (world.user(name)?.tenant_id.clone(), world.user(name)?.id.clone())
    } else {
        (world.client(name)?.tenant_id.clone(), world.client(name)?.id.clone())
    };
    let query = QueryEventsRequest {
        tenant_id,
        subject_id: id.clone(),
        r#type: format!("{kind}_{verb}"),
        ..QueryEventsRequest::default()
    };
    let events = eventually(STORE_TIME, async || {
        let events = world.admin.events(query.clone()).await?;
        ensure!(!events.is_empty(), "the trail does not tell of it");
        Ok(events)
    })
    .await?;
    ensure!(events.len() == 1, "the trail tells of it {} times", events.len());
    let event = &events[0];
    ensure!(
        event.event_class == "compliance" && event.actor_id == world.stack.admin.client_id,
        "{event:?}"
    );
    let Some(Details::Change(change)) = Core::decode(event.core.as_slice())?.details else {
        return Err(anyhow::anyhow!("the event tells of no change").into());
    };
    let object_id: uuid::Uuid = id.parse()?;
    ensure!(
        change.object == *kind && change.object_id == object_id.as_bytes(),
        "it is about {}",
        change.object
    );
    for (json, status) in [(&change.before_json, before), (&change.after_json, after)] {
        if status == "nothing" {
            ensure!(json.is_empty(), "there is something: {json}");
        } else {
            let value: Value = serde_json::from_str(json)?;
            ensure!(value["status"] == status.as_str(), "{json}");
        }
    }
    Ok(())
}
