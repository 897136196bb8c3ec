//! Every request has a deadline, and there are only so many at one time (DESIGN section 2.10): what goes on after its caller
//! has gone counts until it is done. No address has all places: who sends heads and no bodies does not keep others out.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use credo_lifecycle::{Full, Slots};

use super::{answer::Answer, context::Context};
use crate::{app::App, budget::Budget, refusal::Refusal};

/// Longest time from a request's head to its answer, so that whoever waits for 5 seconds has one.
const DEADLINE: Duration = Duration::from_millis(4_750);

/// What bounds requests.
#[derive(Clone)]
pub(super) struct Bounds {
    places: Slots,
    app: Arc<App>,
}

impl Bounds {
    pub(super) fn new(app: &Arc<App>) -> Self {
        let all = app.settings.http.max_concurrent_requests;
        Self {
            places: Slots::new(all, all.div_ceil(2)),
            app: Arc::clone(app),
        }
    }
}

/// Serves a request within its bounds, or answers 503 at once.
pub(super) async fn bounded(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let address = request
        .extensions()
        .get::<Context>()
        .and_then(|context| context.0.address);
    let address = address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let is_shared = bounds.app.settings.trusted_proxies.contains(address);
    let place = match bounds.places.take(address, is_shared) {
        Ok(place) => place,
        Err(full) => {
            bounds.app.metrics.overloads.inc();
            let reason = match full {
                Full::Total => "too many requests",
                Full::Address => "too many requests of one address",
            };
            return Answer::new(&bounds.app)
                .refusal(&Refusal::overloaded(reason))
                .into_response();
        }
    };
    let budget = Budget::new(DEADLINE, Some(Arc::new(place)));
    let served = Budget::scope(Some(budget), next.run(request));
    if let Ok(response) = tokio::time::timeout(DEADLINE, served).await {
        return response;
    }
    bounds.app.metrics.overloads.inc();
    Answer::new(&bounds.app)
        .refusal(&Refusal::overloaded("the deadline passed"))
        .into_response()
}
