//! Where secrets must not be, and whether they are there.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::{
    collector::Collector,
    digest::hex,
    stack::{Stack, variable},
    topic::read_all,
};

/// The logs that the stack program tells of.
const LOGS: [&str; 4] = [
    "CREDO_TEST_AUTH_API_LOG",
    "CREDO_TEST_AUTH_API_2_LOG",
    "CREDO_TEST_OUTBOX_RELAY_LOG",
    "CREDO_TEST_AUDIT_CONSUMER_LOG",
];

/// A text under the name of what it is.
pub type Named = (String, String);

/// Everything that the system writes, by the place where it does.
pub async fn places(stack: &'static Stack) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut places = BTreeMap::new();
    for name in LOGS {
        let path = variable(name).with_context(|| format!("{name} is not set"))?;
        places.insert(format!("log {path}"), fs::read(&path).with_context(|| path.clone())?);
    }
    places.insert("traces".to_owned(), Collector::bytes());
    for (name, service) in stack.services() {
        let metrics = reqwest::get(format!("{}/metrics", service.management)).await?;
        places.insert(format!("metrics of {name}"), metrics.bytes().await?.to_vec());
    }
    let records = read_all(stack).await?.into_iter();
    let bytes = records.flat_map(|record| [record.key, record.value, format!("{:?}", record.headers).into_bytes()]);
    places.insert("Kafka".to_owned(), bytes.flatten().collect());
    for (name, url) in [("auth", &stack.postgres.auth_url), ("audit", &stack.postgres.audit_url)] {
        for (table, rows) in tables(url).await? {
            places.insert(format!("{name} table {table}"), rows);
        }
    }
    Ok(places)
}

/// Every row of every table as text; bytes are hexadecimal in it.
async fn tables(url: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut connection = PgConnection::connect(url).await?;
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&mut connection)
    .await?;
    let mut tables = Vec::new();
    for name in names {
        let statement = format!("SELECT t::text AS row FROM \"{name}\" t");
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut connection).await?;
        let mut text = Vec::new();
        for row in rows {
            text.extend(row.try_get::<String, _>("row")?.into_bytes());
            text.push(b'\n');
        }
        tables.push((name, text));
    }
    Ok(tables)
}

/// A secret as it was shown, and in other forms that are as good: without its prefix, as the bytes that it stands for, and
/// those in hexadecimal.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec(), hex(secret.as_bytes()).into_bytes()];
    let encoded = secret.rsplit(['.', '_']).next().unwrap_or_default();
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(encoded)
        && bytes.len() >= 16
    {
        forms.extend([encoded.as_bytes().to_vec(), hex(&bytes).into_bytes(), bytes]);
    }
    forms
}

fn holds(place: &[u8], needle: &[u8]) -> bool {
    // Faster than comparing windows: most places do not hold the first byte's neighbour.
    let Some((first, _)) = needle.split_first() else {
        return false;
    };
    let mut from = 0;
    while let Some(at) = place[from..].iter().position(|byte| byte == first) {
        if place[from + at..].starts_with(needle) {
            return true;
        }
        from += at + 1;
    }
    false
}

/// A device is known again by its id: it opens nothing, and two columns are there for it.
fn is_its_own(name: &str, place: &str) -> bool {
    let columns = ["auth table session", "auth table browser_session"];
    name == "the cookie __Host-credo-device" && columns.contains(&place)
}

/// Checks that no place holds any of the secrets, but a column that is its own.
///
/// # Errors
/// All that are found, each by its name and its place.
pub fn ensure_absent(places: &BTreeMap<String, Vec<u8>>, secrets: &[Named]) -> Result<()> {
    let mut found = Vec::new();
    for (name, secret) in secrets {
        ensure!(secret.len() >= 12, "{name} is too short to be looked for");
        for form in forms(secret) {
            let holding = places
                .iter()
                .filter(|(place, bytes)| !is_its_own(name, place) && holds(bytes, &form));
            found.extend(holding.map(|(place, _)| format!("{place} holds {name}")));
        }
    }
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// The places that hold a text.
pub fn holding(places: &BTreeMap<String, Vec<u8>>, text: &str) -> Vec<String> {
    let hex = hex(text.as_bytes());
    let holding = |place: &[u8]| holds(place, text.as_bytes()) || holds(place, hex.as_bytes());
    let found = places.iter().filter(|(_, place)| holding(place));
    found.map(|(name, _)| name.clone()).collect()
}
