//! One connection, from its first byte to its end.

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{
    Request, Response, Version,
    body::Incoming,
    header::{self, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::{
    HttpLimits,
    activity::{Activity, Late},
    metrics::ConnectionMetrics,
    watched::{WatchedBody, WatchedStream},
};

/// The largest head of a request over HTTP/1, in bytes: 431 beyond. A sealed request in a URL takes a few thousand.
const MAX_HEAD_BYTES: usize = 32 * 1_024;
/// The same over HTTP/2, unpacked.
const MAX_HEADER_LIST_BYTES: u32 = 32 * 1_024;
/// Requests at one time on one connection.
const MAX_STREAMS: u32 = 128;
/// Streams that the client reset and that were not begun, and those that we reset for its mistakes: a connection with more
/// of them is ended (rapid reset).
const MAX_PENDING_RESETS: usize = 20;
const MAX_ERROR_RESETS: usize = 64;
/// What a client may send ahead of what is read, for each stream and for all.
const STREAM_WINDOW_BYTES: u32 = 64 * 1_024;
const CONNECTION_WINDOW_BYTES: u32 = 1_024 * 1_024;
/// What is kept for a client that does not take it, for each stream.
const MAX_SEND_BUFFER_BYTES: usize = 64 * 1_024;
/// How long a connection may take to send its first request after shutdown, or to end when it is told to.
const LINGER: Duration = Duration::from_secs(1);

/// What all connections of a listener share.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) limits: HttpLimits,
    pub(super) metrics: Option<ConnectionMetrics>,
    pub(super) stopped: CancellationToken,
}

/// How protocols are spoken.
pub(super) fn protocols() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(MAX_HEAD_BYTES).timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(MAX_SEND_BUFFER_BYTES)
        .max_header_list_size(MAX_HEADER_LIST_BYTES);
    builder
}

/// Serves a connection until the client ends it, is late, or the server stops.
pub(super) async fn serve(
    (stream, peer): (TcpStream, SocketAddr),
    router: Router,
    protocols: Builder<TokioExecutor>,
    terms: Terms,
) {
    // Answers are whole writes: waiting for more of them only delays the last.
    if stream.set_nodelay(true).is_err() {
        return; // gone already
    }
    let activity = Activity::new(Instant::now());
    let io = TokioIo::new(WatchedStream {
        stream,
        activity: activity.clone(),
    });
    let service = service_fn({
        let handles = (activity.clone(), terms.stopped.clone());
        move |request| exchange(handles.clone(), router.clone(), peer, request)
    });
    let mut connection = pin!(protocols.serve_connection(io, service));
    let (mut is_ending, mut end) = (false, pin!(sleep(Duration::MAX)));
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, "a connection ended badly");
                }
                return;
            }
            late = activity.is_late(&terms.limits) => {
                if let Some(metrics) = &terms.metrics {
                    metrics.ended(late);
                }
                // One that only waits is told; who is slow is not waited for.
                if late == Late::Idle {
                    connection.as_mut().graceful_shutdown();
                    let _ = timeout(LINGER, connection).await;
                }
                return;
            }
            () = terms.end(&activity), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
                end.as_mut().reset(Instant::now() + terms.limits.exchange);
            }
            // Who takes an answer byte by byte does not hold up the end.
            () = end.as_mut(), if is_ending => return,
        }
    }
}

impl Terms {
    /// Returns when the connection is to take no further request. One that was just taken is served its first.
    async fn end(&self, activity: &Activity) {
        self.stopped.cancelled().await;
        if activity.is_new() {
            sleep(LINGER).await;
        }
    }
}

async fn exchange(
    (activity, stopped): (Activity, CancellationToken),
    mut router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<WatchedBody>, Infallible> {
    let is_multiplexed = request.version() == Version::HTTP_2;
    let exchange = activity.begin(is_multiplexed, Instant::now());
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut answer = router.call(request).await?;
    if stopped.is_cancelled() && !is_multiplexed {
        answer
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer.map(|body| WatchedBody::new(body, is_multiplexed, exchange)))
}
