//! `credo.admin.v1.RateLimitService`.

use std::sync::Arc;

use credo_auth_domain::rate_limit::RateClass as Class;
use credo_proto::admin::v1::{
    GetRateLimitsRequest, GetRateLimitsResponse, RateClass, RateLimit, SetRateLimitRequest, SetRateLimitResponse,
    rate_limit_service_server::RateLimitService,
};
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    change::changing,
    parse,
    status::refused,
};
use crate::{
    app::App,
    flows::admin::{AdminRefusal, EffectiveLimit, LimitDraft, LimitSource, get_rate_limits, set_rate_limit},
};

/// The service.
pub(super) struct RateLimits(Arc<App>);

impl RateLimits {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

fn shape(limit: EffectiveLimit) -> RateLimit {
    RateLimit {
        rate_class: match limit.class {
            Class::Auth => RateClass::Auth,
            Class::Sensitive => RateClass::Sensitive,
            Class::Read => RateClass::Read,
            Class::Address => RateClass::Address,
            Class::Client => RateClass::Client,
            Class::ClientFailure => RateClass::ClientFailure,
        }
        .into(),
        requests_per_minute: limit.per_minute,
        source: match limit.source {
            LimitSource::Default => "default",
            LimitSource::Tenant => "tenant",
            LimitSource::Client => "client",
        }
        .to_owned(),
        default_requests_per_minute: limit.default_per_minute,
    }
}

fn class(number: i32) -> Result<Class, Status> {
    match RateClass::try_from(number) {
        Ok(RateClass::Auth) => Ok(Class::Auth),
        Ok(RateClass::Sensitive) => Ok(Class::Sensitive),
        Ok(RateClass::Read) => Ok(Class::Read),
        Ok(RateClass::Address) => Ok(Class::Address),
        Ok(RateClass::Client) => Ok(Class::Client),
        Ok(RateClass::ClientFailure) => Ok(Class::ClientFailure),
        Ok(RateClass::Unspecified) | Err(_) => Err(refused(AdminRefusal::invalid("rate_class", "must be a class"))),
    }
}

#[tonic::async_trait]
impl RateLimitService for RateLimits {
    async fn get_rate_limits(
        &self,
        request: Request<GetRateLimitsRequest>,
    ) -> Result<Response<GetRateLimitsResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let client = parse::optional_id("client_id", &message.client_id)?;
        let limits = get_rate_limits(&self.0, scope, client).await.map_err(refused)?;
        Ok(Response::new(GetRateLimitsResponse {
            rate_limits: limits.into_iter().map(shape).collect(),
        }))
    }

    async fn set_rate_limit(
        &self,
        request: Request<SetRateLimitRequest>,
    ) -> Result<Response<SetRateLimitResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let draft = LimitDraft {
            client: parse::optional_id("client_id", &message.client_id)?,
            class: class(message.rate_class)?,
            per_minute: message.requests_per_minute,
        };
        let app = Arc::clone(&self.0);
        let set = finish(
            &self.0,
            async move { set_rate_limit(&app, &change, scope, draft).await },
        )
        .await?;
        Ok(Response::new(SetRateLimitResponse {
            rate_limit: Some(shape(set)),
        }))
    }
}
