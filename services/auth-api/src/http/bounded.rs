//! Every request has a deadline, and there are only so many at one time (DESIGN section 2.10).

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::sync::Semaphore;

use super::answer::Answer;
use crate::{app::App, refusal::Refusal};

/// Longest time from a request's head to its answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// What bounds requests.
#[derive(Clone)]
pub(super) struct Bounds {
    permits: Arc<Semaphore>,
    app: Arc<App>,
}

impl Bounds {
    pub(super) fn new(app: &Arc<App>) -> Self {
        let permits = Arc::new(Semaphore::new(app.settings.http.max_concurrent_requests));
        Self {
            permits,
            app: Arc::clone(app),
        }
    }
}

/// Serves a request within its bounds, or answers 503 at once.
pub(super) async fn bounded(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let Ok(_permit) = bounds.permits.try_acquire() else {
        bounds.app.metrics.overloads.inc();
        return Answer::new(&bounds.app)
            .refusal(&Refusal::overloaded("too many requests"))
            .into_response();
    };
    if let Ok(response) = tokio::time::timeout(DEADLINE, next.run(request)).await {
        return response;
    }
    bounds.app.metrics.overloads.inc();
    Answer::new(&bounds.app)
        .refusal(&Refusal::overloaded("the deadline passed"))
        .into_response()
}
