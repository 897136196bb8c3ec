//! The headers of a record: everything that places it, as text. Deterministic: no clock, no name of who sends.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    str::FromStr,
};

use credo_ids::{EventId, Shard, TenantId};
use credo_outbox::{FIRST_SEQ, RunningHash};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use uuid::Uuid;

use crate::EventClass;

const TENANT: &str = "tenant";
const SHARD: &str = "shard";
const EPOCH: &str = "epoch";
const SEQ: &str = "seq";
const HASH: &str = "hash";
const EVENT_ID: &str = "event-id";
const CLASS: &str = "class";
const AGGREGATE: &str = "aggregate";
/// W3C trace context; not part of where a record stands.
const TRACEPARENT: &str = "traceparent";

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeaders {
    /// Whose event it is.
    pub tenant: TenantId,
    /// The lane that it travels in.
    pub shard: Shard,
    /// The outbox database's life.
    pub epoch: i64,
    /// Its number in the epoch and shard, from 1.
    pub seq: i64,
    /// The lane's running hash after it.
    pub running_hash: RunningHash,
    /// The event.
    pub event_id: EventId,
    /// Its class.
    pub class: EventClass,
    /// What keeps order; the record's key has the same 16 bytes.
    pub aggregate: Uuid,
    /// The span that the event was made in, if it is traced. Nobody's proof: what cannot be read of it is not there.
    pub traceparent: Option<String>,
}

/// Headers that the relay does not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaders {
    /// One is not there.
    #[error("no header {0}")]
    Missing(&'static str),
    /// One is there twice.
    #[error("header {0} twice")]
    Twice(&'static str),
    /// One says nothing that can be read.
    #[error("bad header {0}")]
    Malformed(&'static str),
    /// A name is not UTF-8.
    #[error("a header name is not UTF-8")]
    Unreadable,
}

impl RecordHeaders {
    /// The headers as the producer takes them.
    #[must_use]
    pub fn to_kafka(&self) -> OwnedHeaders {
        let text = |headers: OwnedHeaders, key, value: &dyn ToString| {
            headers.insert(Header {
                key,
                value: Some(value.to_string().as_str()),
            })
        };
        let mut headers = OwnedHeaders::new_with_capacity(9);
        headers = text(headers, TENANT, &self.tenant);
        headers = text(headers, SHARD, &self.shard.get());
        headers = text(headers, EPOCH, &self.epoch);
        headers = text(headers, SEQ, &self.seq);
        headers = text(headers, HASH, &self.running_hash);
        headers = text(headers, EVENT_ID, &self.event_id);
        headers = text(headers, CLASS, &self.class);
        headers = text(headers, AGGREGATE, &self.aggregate);
        match &self.traceparent {
            Some(traceparent) => text(headers, TRACEPARENT, traceparent),
            None => headers,
        }
    }

    /// Reads them from name and value pairs; names that are not ours are ignored.
    ///
    /// # Errors
    /// When one of ours is missing, there twice, or not in the form that [`Self::to_kafka`] writes.
    pub fn read(headers: &[(String, Vec<u8>)]) -> Result<Self, InvalidHeaders> {
        let found = Found(headers);
        let number = |name| found.parse::<i64>(name).map(|number| (number, name));
        let not_below = |(number, name), least| {
            if number < least {
                Err(malformed(name))
            } else {
                Ok(number)
            }
        };
        Ok(Self {
            tenant: found.parse(TENANT)?,
            shard: Shard::try_from(found.parse::<i16>(SHARD)?).map_err(|_| malformed(SHARD))?,
            epoch: not_below(number(EPOCH)?, 1)?,
            seq: not_below(number(SEQ)?, FIRST_SEQ)?,
            running_hash: found.parse(HASH)?,
            event_id: found.parse(EVENT_ID)?,
            class: found.parse(CLASS)?,
            aggregate: found.parse(AGGREGATE)?,
            traceparent: found.parse(TRACEPARENT).ok(),
        })
    }
}

const fn malformed(name: &'static str) -> InvalidHeaders {
    InvalidHeaders::Malformed(name)
}

struct Found<'a>(&'a [(String, Vec<u8>)]);

impl Found<'_> {
    fn parse<T: FromStr>(&self, name: &'static str) -> Result<T, InvalidHeaders> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
        let value = values.next().ok_or(InvalidHeaders::Missing(name))?;
        if values.next().is_some() {
            return Err(InvalidHeaders::Twice(name));
        }
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(malformed(name))
    }
}

/// Copies the headers of a record out of the client's memory.
///
/// # Errors
/// When a name is not UTF-8: the client library panics over it, and one such record must not stop the trail.
pub(crate) fn copy(headers: &impl Headers) -> Result<Vec<(String, Vec<u8>)>, InvalidHeaders> {
    let pairs = || {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    };
    catch_unwind(AssertUnwindSafe(pairs)).map_err(|_| InvalidHeaders::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> RecordHeaders {
        let tenant = TenantId::now_v7();
        RecordHeaders {
            tenant,
            shard: Shard::of(tenant),
            epoch: 1,
            seq: 7,
            running_hash: RunningHash::START.after(b"value"),
            event_id: EventId::now_v7(),
            class: EventClass::Security,
            aggregate: Uuid::now_v7(),
            traceparent: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let pairs = copy(&headers_of(&headers())).unwrap();
        assert_eq!(pairs.len(), 8);
        let read = RecordHeaders::read(&pairs).unwrap();
        assert_eq!(copy(&read.to_kafka()).unwrap(), pairs, "the same bytes again");
    }

    #[test]
    fn a_trace_travels_along_and_is_nobodys_proof() {
        let traced = RecordHeaders {
            traceparent: Some("00-a-b-01".to_owned()),
            ..headers()
        };
        let mut pairs = copy(&traced.to_kafka()).unwrap();
        assert_eq!(RecordHeaders::read(&pairs).unwrap(), traced);
        pairs[8].1 = vec![0xff];
        assert_eq!(RecordHeaders::read(&pairs).unwrap().traceparent, None);
    }

    fn headers_of(headers: &RecordHeaders) -> OwnedHeaders {
        headers.to_kafka()
    }

    #[test]
    fn what_the_relay_does_not_write_is_refused() {
        let pairs = copy(&headers().to_kafka()).unwrap();
        for index in 0..pairs.len() {
            let name = pairs[index].0.clone();
            let mut missing = pairs.clone();
            missing.remove(index);
            assert!(matches!(RecordHeaders::read(&missing), Err(InvalidHeaders::Missing(it)) if it == name));
            let twice = [pairs.clone(), vec![pairs[index].clone()]].concat();
            assert!(matches!(RecordHeaders::read(&twice), Err(InvalidHeaders::Twice(it)) if it == name));
            for bad in [&b""[..], b"-1", b"x", b"\xff", b"99999999999999999999"] {
                let mut malformed = pairs.clone();
                malformed[index].1 = bad.to_vec();
                assert!(matches!(RecordHeaders::read(&malformed), Err(InvalidHeaders::Malformed(it)) if it == name));
            }
        }
        let with_more = [pairs, vec![("other".to_owned(), vec![0xff])]].concat();
        assert!(RecordHeaders::read(&with_more).is_ok());
    }
}
