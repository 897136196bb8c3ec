//! Many tenants and sessions, and clients of which a few ask for most: whether throughput depends on how much there is.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, types::Uuid};
use tokio::task::JoinSet;

use crate::{
    actor::Actor,
    shared::{Caller, Shared},
    stack::Stack,
};

const CONNECTIONS: usize = 64;
const PEOPLE: usize = 4;
const SECRET: &str = "bench-secret";
const REDIRECT_URI: &str = "https://client.example/callback";

/// How many.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub tenants: usize,
    /// Rows of sessions that nobody asks for.
    pub sessions: usize,
    /// Sessions that are refreshed, Zipf-distributed over the tenants.
    pub live: usize,
}

/// Makes them, and signs in to the live ones over as many connections as the comparison uses.
pub async fn sign_in(stack: &Stack, shared: &Arc<Shared>, scale: Scale) -> Result<Vec<Actor>> {
    let callers = seed(stack, scale).await?;
    let ranks = Zipf::new(scale.tenants);
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut actor = Actor::new(&stack.base_url, Arc::clone(shared), Vec::new()).await?;
        let wanted: Vec<_> = (0..scale.live / CONNECTIONS)
            .map(|session| ranks.draw(session * CONNECTIONS + number))
            .map(|rank| Ok((rank, Arc::clone(callers.get(rank).context("no such tenant")?))))
            .collect::<Result<_>>()?;
        tasks.spawn(async move {
            for (rank, caller) in wanted {
                let email = format!("bench-{}@t{rank}.example", number % PEOPLE);
                actor.sign_in(&caller, &email).await?;
            }
            Ok::<_, anyhow::Error>(actor)
        });
    }
    let mut actors = Vec::new();
    while let Some(done) = tasks.join_next().await {
        actors.push(done??);
    }
    Ok(actors)
}

async fn seed(stack: &Stack, scale: Scale) -> Result<Vec<Arc<Caller>>> {
    let mut auth = PgConnection::connect(&stack.superuser_url("credo_auth")?).await?;
    // Our own numbers alone are in the text.
    let text = include_str!("../sql/scale.sql")
        .replace(":tenants", &scale.tenants.to_string())
        .replace(":sessions", &scale.sessions.to_string())
        .replace(":people", &PEOPLE.to_string());
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut auth).await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut auth).await?;
    let clients: Vec<Uuid> = sqlx::query_scalar(
        "SELECT c.id FROM client c JOIN tenant t ON t.id = c.tenant_id WHERE t.slug LIKE 'bench-%'
         ORDER BY substr(t.slug, 7)::integer",
    )
    .fetch_all(&mut auth)
    .await?;
    let caller = |id: Uuid| {
        Arc::new(Caller {
            authorization: format!("Basic {}", STANDARD.encode(format!("{id}:{SECRET}"))),
            client_id: id.to_string(),
            redirect_uri: REDIRECT_URI.to_owned(),
        })
    };
    Ok(clients.into_iter().map(caller).collect())
}

/// Rank k is drawn in proportion to 1/(k + 1).
struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    fn new(ranks: usize) -> Self {
        let mut sum = 0.0;
        let mut divisor = 0.0;
        let cumulative = std::iter::repeat_with(|| {
            divisor += 1.0;
            sum += 1.0 / divisor;
            sum
        });
        Self {
            cumulative: cumulative.take(ranks).collect(),
        }
    }

    /// The same each time for the same number, and evenly spread over numbers.
    fn draw(&self, number: usize) -> usize {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let place = (number as f64 * GOLDEN).fract() * self.cumulative.last().copied().unwrap_or_default();
        self.cumulative.partition_point(|sum| *sum < place)
    }
}

#[cfg(test)]
mod tests {
    use super::Zipf;

    #[test]
    fn the_first_is_drawn_most_and_the_last_at_times() {
        let ranks = Zipf::new(1_000);
        let mut drawn = [0_usize; 1_000];
        for number in 0..10_000 {
            drawn[ranks.draw(number)] += 1;
        }
        assert!((1_300..1_400).contains(&drawn[0]), "{}", drawn[0]); // 10,000 / H(1,000) is 1,336
        assert!((640..700).contains(&drawn[1]), "{}", drawn[1]);
        assert!(drawn[500..].iter().sum::<usize>() > 800);
    }
}
