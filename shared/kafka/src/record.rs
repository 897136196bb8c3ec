//! A record as it came, in memory of our own.

use rdkafka::message::{BorrowedMessage, Message as _};

use crate::{InvalidHeaders, RecordHeaders, headers};

/// A record of the topic. Nothing in it has been checked.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; one without a value has an empty one.
    pub value: Vec<u8>,
    /// Its headers, if they could be copied.
    pub raw_headers: Result<Vec<(String, Vec<u8>)>, InvalidHeaders>,
}

impl Record {
    /// Reads the headers.
    ///
    /// # Errors
    /// When they are not the relay's.
    pub fn headers(&self) -> Result<RecordHeaders, InvalidHeaders> {
        RecordHeaders::read(self.raw_headers.as_deref().map_err(Clone::clone)?)
    }
}

impl From<&BorrowedMessage<'_>> for Record {
    fn from(message: &BorrowedMessage<'_>) -> Self {
        Self {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().unwrap_or_default().to_vec(),
            raw_headers: message.headers().map_or(Ok(vec![]), headers::copy),
        }
    }
}
