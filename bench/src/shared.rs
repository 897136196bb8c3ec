//! What all actors share: the clients that they are of, and what one request leaves for another.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::stack::{Client, Stack};

/// A client as it shows itself.
#[derive(Debug)]
pub struct Caller {
    pub client_id: String,
    pub authorization: String,
    pub redirect_uri: String,
}

/// What everybody needs and what one request leaves for another.
pub struct Shared {
    pub signs_in: Arc<Caller>,
    pub service: Caller,
    pub jwks_path: String,
    pub password: String,
    pub codes: Mutex<VecDeque<String>>,
    pub refresh_tokens: Mutex<VecDeque<String>>,
}

impl Caller {
    pub fn of(client: &Client) -> Self {
        Self {
            authorization: format!("Basic {}", STANDARD.encode(format!("{}:{}", client.id, client.secret))),
            client_id: client.id.clone(),
            redirect_uri: client.redirect_uris.first().cloned().unwrap_or_default(),
        }
    }
}

impl Shared {
    pub fn of(stack: &Stack) -> Result<Self> {
        Ok(Self {
            signs_in: Arc::new(Caller::of(stack.client(|client| client.first_party)?)),
            service: Caller::of(stack.client(|client| client.name == "service")?),
            jwks_path: format!("/t/{}/jwks.json", stack.demo.tenant),
            password: stack.user()?.password.clone(),
            codes: Mutex::default(),
            refresh_tokens: Mutex::default(),
        })
    }

    /// Forgets what earlier requests left.
    pub fn clear(&self) {
        lock(&self.codes).clear();
        lock(&self.refresh_tokens).clear();
    }
}

/// The oldest that was left.
pub fn take(queue: &Mutex<VecDeque<String>>) -> Option<String> {
    lock(queue).pop_front()
}

/// As it is, whoever panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
