//! Argon2id off the reactor, on so many threads as were given and no more.
//!
//! Refuses early when too many wait, and what has waited too long. An unknown account costs the same computation as a known one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash::phc::PasswordHash,
};
use credo_auth_domain::password::Password;
use prometheus::{Histogram, IntGauge};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{budget::Budget, metrics::Metrics, refusal::Refusal};

/// Longest wait for a thread.
const MAX_WAIT: std::time::Duration = std::time::Duration::from_secs(2);
/// What the computation and the statements after it need of a request's time.
const RESERVE: std::time::Duration = std::time::Duration::from_millis(500);
/// Computations of administrators that may wait: they have one thread of their own.
const MAX_WAITING_ADMIN: usize = 16;
/// Computations that may wait for each thread.
const MAX_WAITING_PER_THREAD: usize = 64;

/// What one computation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// OWASP's first choice for Argon2id: of every new hash.
    pub const TODAY: Self = Self {
        memory_kib: 19_456,
        passes: 2,
    };

    /// Memory of one computation, in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        u64::from(self.memory_kib) * 1_024
    }

    /// Whether a PHC string cost less than this. One that cannot be read says nothing.
    fn exceeds(self, hash: &str) -> bool {
        let params = PasswordHash::new(hash)
            .ok()
            .and_then(|hash| Params::try_from(&hash).ok());
        params.is_some_and(|params| params.m_cost() < self.memory_kib || params.t_cost() < self.passes)
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::TODAY
    }
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    sign_in: Pool,
    admin: Pool,
    /// A hash that cost less is replaced at the next sign-in.
    rehash_below: Cost,
    wait_seconds: Option<Histogram>,
    queue: Option<IntGauge>,
    /// Checked where there is nothing to check, so that nobody can tell by the time.
    decoy: SecretString,
}

/// Threads, and those who wait for one.
#[derive(Debug)]
struct Pool {
    threads: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Pool {
    fn new(threads: usize, max_waiting: usize) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(threads)),
            waiting: AtomicUsize::new(0),
            max_waiting,
        }
    }
}

/// The right to one computation.
#[derive(Debug)]
pub struct Turn(OwnedSemaphorePermit);

impl Passwords {
    /// At most `threads` computations at one time; what cost less than `rehash_below` is to be hashed again.
    ///
    /// # Errors
    /// If Argon2 refuses its parameters or the system has no randomness.
    pub fn new(threads: usize, rehash_below: Cost) -> Result<Self, argon2::password_hash::Error> {
        let params = Params::new(Cost::TODAY.memory_kib, Cost::TODAY.passes, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = argon2.hash_password(b"nobody's password")?.to_string().into();
        Ok(Self {
            argon2,
            sign_in: Pool::new(threads, threads * MAX_WAITING_PER_THREAD),
            admin: Pool::new(1, MAX_WAITING_ADMIN),
            rehash_below,
            wait_seconds: None,
            queue: None,
            decoy,
        })
    }

    /// Shows its queue there.
    #[must_use]
    pub fn observed_by(self, metrics: &Metrics) -> Self {
        Self {
            wait_seconds: Some(metrics.password_wait_seconds.clone()),
            queue: Some(metrics.password_queue.clone()),
            ..self
        }
    }

    /// Waits for a thread.
    ///
    /// # Errors
    /// If too many wait already, or the request has waited too long.
    pub async fn turn(&self) -> Result<Turn, Refusal> {
        self.turn_in(&self.sign_in).await
    }

    /// Waits for the thread of administrators: people who sign in do not wait for them, nor they for those.
    ///
    /// # Errors
    /// If too many wait already, or the call has waited too long.
    pub async fn admin_turn(&self) -> Result<Turn, Refusal> {
        self.turn_in(&self.admin).await
    }

    async fn turn_in(&self, pool: &Pool) -> Result<Turn, Refusal> {
        if pool.waiting.fetch_add(1, Ordering::Relaxed) >= pool.max_waiting {
            pool.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Refusal::overloaded("too many passwords wait for their check"));
        }
        let timer = self.wait_seconds.as_ref().map(Histogram::start_timer);
        let guard = WaitingGuard::new(&pool.waiting, self.queue.as_ref());
        let turn = Arc::clone(&pool.threads).acquire_owned();
        let permit = tokio::time::timeout(Budget::wait(MAX_WAIT, RESERVE), turn).await;
        drop(guard);
        drop(timer);
        permit
            .map_err(|_| Refusal::overloaded("a password waited too long for its check"))?
            .map(Turn)
            .map_err(|_| Refusal::internal("a closed semaphore"))
    }

    /// Whether a password is to be hashed again, now that it is known.
    #[must_use]
    pub fn is_weak(&self, hash: &SecretString) -> bool {
        self.rehash_below.exceeds(hash.expose_secret())
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// If Argon2 fails.
    pub async fn hash(&self, turn: Turn, password: Password) -> Result<SecretString, Refusal> {
        let argon2 = self.argon2.clone();
        compute(turn, move || {
            argon2
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string().into())
        })
        .await?
        .map_err(|error| Refusal::internal(&error.to_string()))
    }

    /// Whether `password` is the one behind `hash`; without a hash it is not, after the same time.
    ///
    /// # Errors
    /// If the thread dies.
    pub async fn verify(&self, turn: Turn, password: Password, hash: Option<SecretString>) -> Result<bool, Refusal> {
        let argon2 = self.argon2.clone();
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let matches = compute(turn, move || {
            argon2
                .verify_password(password.as_bytes(), hash.expose_secret())
                .is_ok()
        })
        .await?;
        Ok(matches && exists)
    }
}

async fn compute<T: Send + 'static>(turn: Turn, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(move || {
        let result = work();
        drop(turn.0);
        result
    })
    .await
    .map_err(|error| Refusal::internal(&error.to_string()))
}

struct WaitingGuard<'a> {
    waiting: &'a AtomicUsize,
    queue: Option<&'a IntGauge>,
}

impl<'a> WaitingGuard<'a> {
    fn new(waiting: &'a AtomicUsize, queue: Option<&'a IntGauge>) -> Self {
        if let Some(queue) = queue {
            queue.inc();
        }
        Self { waiting, queue }
    }
}

impl Drop for WaitingGuard<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Some(queue) = self.queue {
            queue.dec();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn who_has_no_time_to_wait_is_refused_and_administrators_have_their_own_thread() {
        let passwords = Passwords::new(1, Cost::TODAY).unwrap();
        let held = passwords.turn().await.unwrap();
        let began = Instant::now();
        let budget = Budget::new(RESERVE + Duration::from_millis(50), None);
        let late = Budget::scope(Some(budget), passwords.turn()).await;
        assert!(matches!(late, Err(Refusal::Unavailable(_))));
        assert!(began.elapsed() >= Duration::from_millis(50));
        assert!(began.elapsed() < MAX_WAIT);
        // Nobody's place is lost.
        assert_eq!(passwords.sign_in.waiting.load(Ordering::Relaxed), 0);
        let _admin = passwords.admin_turn().await.unwrap();
        drop(held);
        passwords.turn().await.unwrap();
    }

    #[tokio::test]
    async fn pw_02_pw_04_passwords_are_argon2id_and_not_truncated() {
        let passwords = Passwords::new(1, Cost::TODAY).unwrap();
        let long = "a".repeat(72);
        let hash = passwords
            .hash(passwords.turn().await.unwrap(), Password::typed(&long).unwrap())
            .await
            .unwrap();
        assert!(hash.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!passwords.is_weak(&hash));
        for (cost, weak) in [
            ("m=19456,t=1,p=1", true),
            ("m=19455,t=2,p=1", true),
            ("m=65536,t=3,p=4", false),
        ] {
            let other = hash.expose_secret().replace("m=19456,t=2,p=1", cost);
            assert_eq!(passwords.is_weak(&other.into()), weak, "{cost}");
        }
        assert!(!passwords.is_weak(&"$argon2id$x".to_owned().into()));
        for (text, good) in [
            (long.clone(), true),
            (format!("{long}b"), false),
            (format!("{long}\u{0}"), false),
        ] {
            let turn = passwords.turn().await.unwrap();
            let verified = passwords
                .verify(turn, Password::typed(&text).unwrap(), Some(hash.clone()))
                .await;
            assert_eq!(verified.unwrap(), good);
        }
        let turn = passwords.turn().await.unwrap();
        assert!(
            !passwords
                .verify(turn, Password::typed("nobody's password").unwrap(), None)
                .await
                .unwrap()
        );
    }
}
