//! The environment over a context, so that a job in a cluster needs no file. One row a variable.

use super::{ClientLogin, Context, Endpoint, Smoke};
use crate::environment::variable;

/// Every variable, for help and tests.
pub const VARIABLES: &str = "\
Environment, over what the context says:
  CREDO_CONTEXT, CREDO_TENANT, CREDO_CONFIG_DIR
  CREDO_AUTH_URL                                  public HTTP
  CREDO_AUTH_GRPC, CREDO_RELAY_GRPC, CREDO_AUDIT_GRPC
  CREDO_AUTH_MANAGEMENT, CREDO_RELAY_MANAGEMENT, CREDO_AUDIT_MANAGEMENT
  CREDO_CA_FILE, CREDO_CERTIFICATE_FILE, CREDO_KEY_FILE   for every address
  the same after an address's name for that one alone: CREDO_RELAY_GRPC_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE, _SERVER_NAME
  CREDO_LOGIN_TENANT, CREDO_CLIENT_ID, CREDO_CLIENT_SECRET_FILE, CREDO_SCOPE
  CREDO_SMOKE_TENANT, _CLIENT_ID, _CLIENT_SECRET_FILE, _REDIRECT_URI, _EMAIL, _PASSWORD_FILE";

/// The context as the environment changes it.
pub fn with_environment(context: Context) -> Context {
    overlay(context, &variable)
}

fn overlay(mut context: Context, variable: &dyn Fn(&str) -> Option<String>) -> Context {
    for (endpoint, name) in [
        (&mut context.public, "CREDO_AUTH_URL"),
        (&mut context.auth.grpc, "CREDO_AUTH_GRPC"),
        (&mut context.relay.grpc, "CREDO_RELAY_GRPC"),
        (&mut context.audit.grpc, "CREDO_AUDIT_GRPC"),
    ] {
        over_endpoint(endpoint, name, variable);
    }
    for (url, name) in [
        (&mut context.auth.management, "CREDO_AUTH_MANAGEMENT"),
        (&mut context.relay.management, "CREDO_RELAY_MANAGEMENT"),
        (&mut context.audit.management, "CREDO_AUDIT_MANAGEMENT"),
        (&mut context.tenant, "CREDO_TENANT"),
    ] {
        if let Some(value) = variable(name) {
            *url = Some(value);
        }
    }
    if let Some(tenant) = variable("CREDO_LOGIN_TENANT") {
        context.login_tenant = tenant;
    }
    context.client = over_client(context.client, variable);
    context.smoke = over_smoke(context.smoke, variable);
    context
}

fn over_endpoint(endpoint: &mut Endpoint, name: &str, variable: &dyn Fn(&str) -> Option<String>) {
    if let Some(url) = variable(name) {
        endpoint.url = url;
    }
    for (file, what) in [
        (&mut endpoint.ca_file, "CA_FILE"),
        (&mut endpoint.certificate_file, "CERTIFICATE_FILE"),
        (&mut endpoint.key_file, "KEY_FILE"),
    ] {
        if let Some(path) = variable(&format!("{name}_{what}")).or_else(|| variable(&format!("CREDO_{what}"))) {
            *file = Some(path.into());
        }
    }
    if let Some(server_name) = variable(&format!("{name}_SERVER_NAME")) {
        endpoint.server_name = Some(server_name);
    }
}

fn over_client(client: Option<ClientLogin>, variable: &dyn Fn(&str) -> Option<String>) -> Option<ClientLogin> {
    let [id, file, scope] = ["CREDO_CLIENT_ID", "CREDO_CLIENT_SECRET_FILE", "CREDO_SCOPE"].map(variable);
    if client.is_none() && (id.is_none() || file.is_none()) {
        return None;
    }
    let mut client = client.unwrap_or_default();
    client.client_id = id.unwrap_or(client.client_id);
    client.secret_file = file.map_or(client.secret_file, Into::into);
    client.scope = scope.unwrap_or(client.scope);
    Some(client)
}

fn over_smoke(smoke: Option<Smoke>, variable: &dyn Fn(&str) -> Option<String>) -> Option<Smoke> {
    let [tenant, id, secret, uri, email, password] = [
        "TENANT",
        "CLIENT_ID",
        "CLIENT_SECRET_FILE",
        "REDIRECT_URI",
        "EMAIL",
        "PASSWORD_FILE",
    ]
    .map(|name| variable(&format!("CREDO_SMOKE_{name}")));
    if smoke.is_none() && id.is_none() {
        return None;
    }
    let mut smoke = smoke.unwrap_or_default();
    smoke.tenant = tenant.unwrap_or(smoke.tenant);
    smoke.client_id = id.unwrap_or(smoke.client_id);
    smoke.secret_file = secret.map(Into::into).or(smoke.secret_file);
    smoke.redirect_uri = uri.unwrap_or(smoke.redirect_uri);
    smoke.email = email.unwrap_or(smoke.email);
    smoke.password_file = password.map_or(smoke.password_file, Into::into);
    Some(smoke)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_wins_and_what_it_does_not_say_stays() {
        let context = Context {
            auth: super::super::Service {
                grpc: Endpoint {
                    url: "http://old:1".to_owned(),
                    ..Endpoint::default()
                },
                management: Some("http://old:2".to_owned()),
            },
            tenant: Some("demo".to_owned()),
            ..Context::default()
        };
        let says = |name: &str| {
            let value = match name {
                "CREDO_AUTH_GRPC" => "https://new:1",
                "CREDO_CA_FILE" => "/all.pem",
                "CREDO_RELAY_GRPC_CA_FILE" => "/relay.pem",
                "CREDO_CLIENT_ID" => "c",
                "CREDO_CLIENT_SECRET_FILE" => "/secret",
                "CREDO_SMOKE_CLIENT_ID" => "s",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let seen = overlay(context, &says);
        assert_eq!(seen.auth.grpc.url, "https://new:1");
        assert_eq!(seen.auth.grpc.ca_file.as_deref(), Some("/all.pem".as_ref()));
        assert_eq!(seen.relay.grpc.ca_file.as_deref(), Some("/relay.pem".as_ref()));
        assert_eq!(seen.auth.management.as_deref(), Some("http://old:2"));
        assert_eq!(seen.tenant.as_deref(), Some("demo"));
        assert_eq!(seen.client.unwrap().client_id, "c");
        assert_eq!(seen.smoke.unwrap().client_id, "s");
    }

    #[test]
    fn every_variable_is_told_in_the_help() {
        use std::cell::RefCell;
        let asked = RefCell::new(Vec::new());
        overlay(Context::default(), &|name: &str| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        for name in asked.into_inner() {
            let told = VARIABLES.contains(&name)
                || ["_CA_FILE", "_CERTIFICATE_FILE", "_KEY_FILE", "_SERVER_NAME"]
                    .iter()
                    .any(|end| name.ends_with(end))
                || name
                    .strip_prefix("CREDO_SMOKE")
                    .is_some_and(|end| VARIABLES.contains(end));
            assert!(told, "{name} is not in the help");
        }
    }
}
