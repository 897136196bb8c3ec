//! `credo.admin.v1.CacheService`.

use std::sync::Arc;

use credo_auth_store::{BreakerState, Redis};
use credo_proto::admin::v1::{
    CacheStats, GetCacheStatsRequest, GetCacheStatsResponse, InvalidateCacheRequest, InvalidateCacheResponse,
    cache_service_server::CacheService,
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
    flows::admin::{AdminRefusal, Kept, invalidate_cache, require_system},
};

/// The service.
pub(super) struct Caches(Arc<App>);

impl Caches {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

#[tonic::async_trait]
impl CacheService for Caches {
    async fn get_cache_stats(
        &self,
        request: Request<GetCacheStatsRequest>,
    ) -> Result<Response<GetCacheStatsResponse>, Status> {
        let (call, _) = admitted(request)?;
        require_system(&call).map_err(refused)?;
        let looks = self.0.metrics.caches.all_looks().into_iter();
        Ok(Response::new(GetCacheStatsResponse {
            caches: looks
                .map(|(cache, level, [hits, misses, fallbacks])| CacheStats {
                    cache: cache.to_owned(),
                    level: level.to_owned(),
                    hits,
                    misses,
                    fallbacks,
                })
                .collect(),
            redis: match self.0.second_level.redis().map(Redis::breaker) {
                None => "none",
                Some(BreakerState::Closed) => "closed",
                Some(BreakerState::Open) => "open",
                Some(BreakerState::HalfOpen) => "half-open",
            }
            .to_owned(),
        }))
    }

    async fn invalidate_cache(
        &self,
        request: Request<InvalidateCacheRequest>,
    ) -> Result<Response<InvalidateCacheResponse>, Status> {
        let (change, message) = changing(request)?;
        let client = parse::optional_id("client_id", &message.client_id)?;
        let user = parse::optional_id("user_id", &message.user_id)?;
        let kept = if message.everything {
            if !message.tenant_id.is_empty() || client.is_some() || user.is_some() {
                let rule = "nothing may be named beside it";
                return Err(refused(AdminRefusal::invalid("everything", rule)));
            }
            Kept::Everything
        } else {
            Kept::Of(
                parse::tenant(&self.0, &change.call, &message.tenant_id).await?,
                client,
                user,
            )
        };
        let change = change.because(message.reason)?;
        let app = Arc::clone(&self.0);
        finish(&self.0, async move { invalidate_cache(&app, &change, kept).await }).await?;
        Ok(Response::new(InvalidateCacheResponse {}))
    }
}
