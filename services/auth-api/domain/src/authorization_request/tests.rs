//! Requests that clients send and attackers make, read and judged.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use credo_ids::TenantId;
use proptest::prelude::*;

use super::*;
use crate::{
    client::{ApplicationType, AuthMethod},
    signing_algorithm::SigningAlgorithm,
    tenant::Tenant,
};

const ISSUER: &str = "https://id.example/t/demo";
const CALLBACK: &str = "https://app.example/cb";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> Client {
    Client {
        id: ClientId::now_v7(),
        tenant: Tenant {
            id: TenantId::now_v7(),
            slug: "demo".to_owned(),
            display_name: "Demo".to_owned(),
            appearance: crate::branding::Appearance::default(),
            active: true,
            epoch: 0,
            dangerous_trust_email: false,
            create_unknown_users: false,
            address_attempts_per_minute: None,
        },
        display_name: "A client".to_owned(),
        active: true,
        epoch: 0,
        version: 1,
        first_party: false,
        auth_method: AuthMethod::None,
        grant_types: vec![GrantType::AuthorizationCode],
        application_type: ApplicationType::Web,
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        allowed_origins: Vec::new(),
        scope: "openid email credo.tenant.read read".parse().unwrap(),
        require_pkce: true,
        refresh_grace_seconds: 0,
        id_token_alg: SigningAlgorithm::Es256,
        limits: crate::rate_limit::Limits::default(),
        secrets: Vec::new(),
    }
}

fn good() -> Vec<(String, Option<String>)> {
    [
        ("client_id", "x"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid read"),
        ("state", "a state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
    .collect()
}

/// The good request with one parameter set; empty is absent.
fn with(name: &str, value: &str) -> Result<AuthorizationRequest, Denial> {
    let mut pairs = good();
    pairs.retain(|(known, _)| known != name);
    pairs.push((name.to_owned(), Some(value.to_owned())));
    AuthorizationRequest::parse(&RequestParameters::new(pairs), &client(), ISSUER)
}

#[test]
fn request_is_read_once_into_a_type() {
    let request = with("nonce", "n").unwrap();
    assert_eq!(request.redirect_uri, CALLBACK);
    assert_eq!(
        (request.state.as_deref(), request.nonce.as_deref()),
        (Some("a state"), Some("n"))
    );
    assert_eq!(request.scope.to_string(), "openid read");
    assert_eq!(request.response_mode, ResponseMode::Query);
    let json = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<AuthorizationRequest>(&json).unwrap(), request);
}

#[test]
fn each_parameter_has_its_rules() {
    use Denial::{InvalidScope, InvalidTarget, RequestNotSupported, RequestUriNotSupported, UnsupportedResponseType};
    for (name, value, denial) in [
        ("response_type", "token", UnsupportedResponseType),
        ("response_type", "id_token token", UnsupportedResponseType),
        ("response_type", "code token", UnsupportedResponseType),
        ("scope", "", InvalidScope),
        ("scope", "openid profile", InvalidScope),
        ("scope", "credo.tenant.read", InvalidScope),
        ("scope", "openid credo.tenant.read", InvalidScope),
        ("scope", "openid \u{fc}", InvalidScope),
        ("resource", "https://id.example/t/other", InvalidTarget),
        ("resource", "/relative", InvalidTarget),
        ("resource", "https://id.example/t/demo#f", InvalidTarget),
        ("request", "x.y.z", RequestNotSupported),
        ("request_uri", "https://evil.example/", RequestUriNotSupported),
        ("registration", "{}", Denial::RegistrationNotSupported),
    ] {
        assert_eq!(with(name, value), Err(denial), "{name}={value}");
    }
    let long = "x".repeat(MAX_STATE_BYTES + 1);
    for (name, value) in [
        ("response_type", ""),
        ("response_mode", "fragment"),
        ("response_mode", "query.jwt"),
        ("state", &long),
        ("state", "a\r\nb"),
        ("nonce", &long[..=MAX_NONCE_BYTES]),
        ("code_challenge", ""),
        ("code_challenge", &CHALLENGE[1..]),
        ("code_challenge_method", ""),
        ("code_challenge_method", "plain"),
        ("prompt", "none login"),
        ("prompt", "create"),
        ("max_age", "-1"),
        ("max_age", "1.5"),
        ("max_age", "soon"),
        ("claims", "{"),
    ] {
        let denial = with(name, value).unwrap_err();
        assert!(
            matches!(denial, Denial::InvalidRequest(_)),
            "{name}={value}: {denial:?}"
        );
    }
}

#[test]
fn az_30_what_advises_never_makes_an_error() {
    let long = "x".repeat(5_000);
    for name in [
        "display",
        "ui_locales",
        "claims_locales",
        "acr_values",
        "login_hint",
        "unknown",
    ] {
        for value in ["page", "a\nb", &long, ""] {
            assert!(with(name, value).is_ok(), "{name}");
        }
        let mut pairs = good();
        pairs.push((name.to_owned(), None));
        assert!(AuthorizationRequest::parse(&RequestParameters::new(pairs), &client(), ISSUER).is_ok());
    }
    assert_eq!(with("login_hint", "ann").unwrap().login_hint.unwrap(), "ann");
    assert!(with("resource", ISSUER).is_ok());
    assert_eq!(
        with("max_age", "99999999999999999999").unwrap().max_age_seconds,
        Some(u32::MAX)
    );
}

#[test]
fn az_10_every_known_parameter_may_come_once() {
    for (name, value) in good() {
        let mut pairs = good();
        pairs.push((name.clone(), value));
        let parameters = RequestParameters::new(pairs);
        assert!(
            AuthorizationRequest::parse(&parameters, &client(), ISSUER).is_err(),
            "{name}"
        );
        assert_eq!(parameters.unverified_client_id().is_err(), name == "client_id");
        assert_eq!(parameters.unverified_redirect_uri().is_err(), name == "redirect_uri");
        assert_eq!(parameters.state().is_none(), name == "state");
    }
    let mut pairs = good();
    pairs.extend([("x".to_owned(), None), ("x".to_owned(), Some("2".to_owned()))]);
    assert!(AuthorizationRequest::parse(&RequestParameters::new(pairs), &client(), ISSUER).is_ok());
}

#[test]
fn a_claim_counts_as_asking_for_its_scope_if_the_client_may_have_it() {
    let claims = r#"{"userinfo":{"email":null,"name":null},"id_token":{"sub":{"value":"somebody"}}}"#;
    let request = with("claims", claims).unwrap();
    assert_eq!(request.consent_scope().to_string(), "email openid read");
    assert_eq!(request.subjects, ["somebody"]);
    assert!(!request.claims.unwrap().userinfo.contains_key("name"));
    let mut pairs = good();
    pairs.retain(|(name, _)| name != "scope");
    pairs.extend([
        ("scope".to_owned(), Some("read".to_owned())),
        ("claims".to_owned(), Some("{".to_owned())),
    ]);
    let plain = AuthorizationRequest::parse(&RequestParameters::new(pairs), &client(), ISSUER).unwrap();
    assert_eq!(plain.claims, None);
}

#[test]
fn what_was_asked_for_is_done_by_a_sign_in_since_then_alone() {
    let asked_at = OffsetDateTime::UNIX_EPOCH + Duration::hours(1);
    let user = UserId::random_v4();
    let somebody = |seconds: i64| {
        Some(SignedIn {
            user,
            auth_time: asked_at + Duration::seconds(seconds),
        })
    };
    let judge = |name: &str, value: &str, who| with(name, value).unwrap().why_sign_in(asked_at, who);
    assert_eq!(judge("x", "", None), Ok(Some(WhySignIn::Nobody)));
    assert_eq!(judge("prompt", "none", None), Err(Denial::LoginRequired));
    assert_eq!(judge("prompt", "none", somebody(-9)), Ok(None));
    assert_eq!(judge("prompt", "login", somebody(-1)), Ok(Some(WhySignIn::Asked)));
    assert_eq!(judge("prompt", "login", somebody(0)), Ok(None));
    assert_eq!(
        judge("prompt", "select_account", somebody(-1)),
        Ok(Some(WhySignIn::SelectAccount))
    );
    assert_eq!(judge("prompt", "consent", somebody(-1)), Ok(None));
    assert_eq!(judge("max_age", "5", somebody(-6)), Ok(Some(WhySignIn::TooLongAgo)));
    assert_eq!(judge("max_age", "5", somebody(-5)), Ok(None));
    assert_eq!(judge("max_age", "0", somebody(-1)), Ok(Some(WhySignIn::TooLongAgo)));
    assert_eq!(judge("max_age", "4294967295", somebody(-1)), Ok(None));

    let mut request = with("x", "").unwrap();
    request.subjects = vec![UserId::random_v4().to_string()];
    assert_eq!(
        request.why_sign_in(asked_at, somebody(-1)),
        Ok(Some(WhySignIn::SomebodyElse))
    );
    assert_eq!(request.why_sign_in(asked_at, somebody(1)), Err(Denial::LoginRequired));
    request.subjects = vec![user.to_string()];
    assert_eq!(request.why_sign_in(asked_at, somebody(-1)), Ok(None));
}

#[test]
fn only_our_own_programs_carry_admin_scopes_for_people_and_nothing_with_them() {
    let first_party = Client {
        first_party: true,
        ..client()
    };
    let ask = |scope: &str, client: &Client| {
        let mut pairs = good();
        pairs.retain(|(name, _)| name != "scope");
        pairs.push(("scope".to_owned(), Some(scope.to_owned())));
        AuthorizationRequest::parse(&RequestParameters::new(pairs), client, ISSUER)
    };
    assert!(ask("credo.tenant.read", &first_party).is_ok());
    for (scope, client) in [
        ("credo.tenant.read", &client()),
        ("credo.tenant.read openid", &first_party),
        ("credo.tenant.read credo.tenant.write", &first_party),
    ] {
        assert_eq!(ask(scope, client), Err(Denial::InvalidScope), "{scope}");
    }
}

#[test]
fn for_the_admin_apis_a_sign_in_is_good_for_a_quarter_of_an_hour() {
    let mut request = with("max_age", "3600").unwrap();
    let asked_at = OffsetDateTime::UNIX_EPOCH + Duration::hours(2);
    let judge = |request: &AuthorizationRequest, seconds: i64| {
        let signed_in = SignedIn {
            user: UserId::random_v4(),
            auth_time: asked_at - Duration::seconds(seconds),
        };
        request.why_sign_in(asked_at, Some(signed_in)).unwrap()
    };
    assert_eq!(judge(&request, 3_600), None);
    request.scope = "credo.tenant.read".parse().unwrap();
    assert_eq!(judge(&request, 900), None);
    assert_eq!(judge(&request, 901), Some(WhySignIn::TooLongAgo));
    request.max_age_seconds = Some(60);
    assert_eq!(judge(&request, 61), Some(WhySignIn::TooLongAgo));
    request.max_age_seconds = None;
    assert_eq!(judge(&request, 901), Some(WhySignIn::TooLongAgo));
}

proptest! {
    #[test]
    fn any_parameters_are_read_without_panic(pairs in prop::collection::vec(("[a-z_]{1,21}", prop::option::of(".{0,80}")), 0..20)) {
        let parameters = RequestParameters::new(pairs.into_iter().chain(good()).collect());
        if let Ok(request) = AuthorizationRequest::parse(&parameters, &client(), ISSUER) {
            prop_assert!(request.scope.is_within(&client().scope));
            prop_assert!(request.code_challenge.is_some());
            prop_assert_eq!(request.redirect_uri, CALLBACK);
        }
    }
}
