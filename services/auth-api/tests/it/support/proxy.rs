//! A wire to Postgres that a test can cut.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use url::Url;

/// What is lost of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The wire is cut before the statement reaches the server.
    Request,
    /// It is cut at once after the statement was sent.
    Midway,
    /// It is cut when the server has answered, so that the statement is surely committed.
    Answer,
}

#[derive(Default)]
struct Plan {
    marker: Vec<u8>,
    losses: VecDeque<Loss>,
}

/// A proxy in front of the database server.
pub struct Proxy {
    url: Url,
    plan: Arc<Mutex<Plan>>,
    up: watch::Sender<bool>,
    frozen: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Stands before the server of `url`.
    pub async fn start(url: &str) -> Self {
        let mut url: Url = url.parse().unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (plan, up, frozen) = (
            Arc::<Mutex<Plan>>::default(),
            watch::Sender::new(true),
            watch::Sender::new(false),
        );
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            listener,
            target,
            Arc::clone(&plan),
            (up.clone(), frozen.clone()),
        ));
        Self {
            url,
            plan,
            up,
            frozen,
            _tasks: tasks,
        }
    }

    /// The server's URL through this proxy.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// The next statements that hold `marker` among their parameters are lost.
    pub fn lose(&self, marker: &[u8], losses: &[Loss]) {
        *self.plan.lock().unwrap() = Plan {
            marker: marker.to_vec(),
            losses: losses.iter().copied().collect(),
        };
    }

    /// How many losses are still to come.
    pub fn remaining(&self) -> usize {
        self.plan.lock().unwrap().losses.len()
    }

    /// Cuts every wire, and takes no new one.
    pub fn go_down(&self) {
        self.up.send_replace(false);
    }

    pub fn come_up(&self) {
        self.up.send_replace(true);
    }

    /// Carries nothing any more, and cuts nothing: the server hangs.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }
}

async fn accept(
    listener: TcpListener,
    target: String,
    plan: Arc<Mutex<Plan>>,
    (up, frozen): (watch::Sender<bool>, watch::Sender<bool>),
) {
    let mut wires = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let mut state = up.subscribe();
        if *state.borrow_and_update() {
            let server = TcpStream::connect(&target).await.unwrap();
            let (plan, frozen) = (Arc::clone(&plan), frozen.subscribe());
            wires.spawn(async move {
                tokio::select! {
                    () = carry(client, server, &plan, frozen) => {}
                    _ = state.wait_for(|up| !up) => {}
                }
            });
        }
    }
}

/// Carries bytes both ways until an end closes or the plan cuts the wire.
async fn carry(mut client: TcpStream, mut server: TcpStream, plan: &Mutex<Plan>, mut frozen: watch::Receiver<bool>) {
    let (mut upwards, mut downwards) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut seen = Vec::new();
    loop {
        if frozen.wait_for(|frozen| !frozen).await.is_err() {
            return;
        }
        tokio::select! {
            _ = frozen.changed() => {}
            count = client.read(&mut upwards) => {
                let Ok(count @ 1..) = count else { return };
                seen.extend(&upwards[..count]);
                let loss = take_loss(plan, &mut seen);
                if loss == Some(Loss::Request) || server.write_all(&upwards[..count]).await.is_err() {
                    return;
                }
                if loss == Some(Loss::Answer) {
                    let _ = server.read(&mut downwards).await;
                }
                if loss.is_some() {
                    return;
                }
            }
            count = server.read(&mut downwards) => {
                let Ok(count @ 1..) = count else { return };
                if client.write_all(&downwards[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The next loss, if the marker has come by. Keeps as much of `seen` as may be the beginning of a marker.
fn take_loss(plan: &Mutex<Plan>, seen: &mut Vec<u8>) -> Option<Loss> {
    let mut plan = plan.lock().unwrap();
    let length = plan.marker.len();
    if length == 0 {
        seen.clear();
        return None;
    }
    let found = seen.windows(length).any(|window| window == plan.marker);
    let keep = if found { 0 } else { (length - 1).min(seen.len()) };
    seen.drain(..seen.len() - keep);
    if found { plan.losses.pop_front() } else { None }
}
