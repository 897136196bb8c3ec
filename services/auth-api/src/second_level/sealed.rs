//! A value as it stands in Redis: text that says when it was read and of which versions, then its seal, then a JSON body.
//!
//! The seal is HMAC-SHA-256 over the key, everything before the seal and the body, under a master key that is not demoted: a
//! value of another key, of another schema, or one that somebody wrote into Redis is no value.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_store::redis_order;

use crate::keys::{MasterKey, MasterKeys};

/// Rises with what a body may hold. A field more or less needs no other: bodies refuse fields that they do not know.
const SCHEMA: char = '1';
/// Bytes of the numbers of [`redis_order`], and of the schema.
const ORDER_BYTES: usize = 81;

/// What orders two values of one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub tenant_epoch: i64,
    pub version: i64,
    pub epoch: i64,
    /// When the reading of it began, in microseconds of the database's clock.
    pub read_at: i64,
}

/// Why a value is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It cannot be read, or its body is of another shape.
    Malformed,
    /// It is of another schema.
    Schema,
    /// None of our keys sealed it for that key.
    Forged,
    /// It was read too long ago: somebody put it there again.
    Old,
}

/// The value of `key`.
pub(super) fn seal(master: &MasterKey, key: &str, order: Order, body: &str) -> String {
    let numbers = [order.tenant_epoch, order.version, order.epoch, order.read_at];
    let head = format!("{}.{}", redis_order(SCHEMA, numbers), master.id);
    let tag = hmac::sign(&master.cache, sealed_text(key, &head, body).as_bytes());
    format!("{head}.{}.{body}", URL_SAFE_NO_PAD.encode(tag))
}

/// When it was read, and the body.
pub(super) fn open<'a>(masters: &MasterKeys, key: &str, value: &'a str) -> Result<(Order, &'a str), Unfit> {
    let (order, rest) = value.split_at_checked(ORDER_BYTES).ok_or(Unfit::Malformed)?;
    if !order.starts_with(SCHEMA) {
        return Err(Unfit::Schema);
    }
    let mut parts = rest.strip_prefix('.').ok_or(Unfit::Malformed)?.splitn(3, '.');
    let (Some(id), Some(tag), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Unfit::Malformed);
    };
    let head_bytes = ORDER_BYTES + 1 + id.len();
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| Unfit::Malformed)?;
    let master = id.parse().ok().and_then(|id| masters.find(id));
    let master = master.filter(|master| !master.demoted).ok_or(Unfit::Forged)?;
    let text = sealed_text(key, value.get(..head_bytes).ok_or(Unfit::Malformed)?, body);
    hmac::verify(&master.cache, text.as_bytes(), &tag).map_err(|_| Unfit::Forged)?;
    Ok((numbers(order).ok_or(Unfit::Malformed)?, body))
}

/// Neither a key nor a head holds a line's end.
fn sealed_text(key: &str, head: &str, body: &str) -> String {
    format!("{key}\n{head}\n{body}")
}

fn numbers(order: &str) -> Option<Order> {
    let mut numbers = order.split('.').skip(1).map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    Some(Order {
        tenant_epoch: next()?,
        version: next()?,
        epoch: next()?,
        read_at: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "user:a:b";
    const ORDER: Order = Order {
        tenant_epoch: 1,
        version: 22,
        epoch: 333,
        read_at: i64::MAX,
    };

    fn masters(lines: &[(u8, &str)]) -> MasterKeys {
        let line = |(id, note): &(u8, &str)| format!("{id} {} {note}", URL_SAFE_NO_PAD.encode([*id; 32]));
        MasterKeys::parse(&lines.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap()
    }

    #[test]
    fn ca_07_only_what_was_sealed_for_its_key_opens() {
        let ours = masters(&[(1, "")]);
        let body = r#"{"a":"b.c"}"#;
        let value = seal(ours.active(), KEY, ORDER, body);
        assert_eq!(open(&ours, KEY, &value), Ok((ORDER, body)));
        assert_eq!(open(&ours, "user:a:c", &value), Err(Unfit::Forged));
        assert_eq!(open(&ours, "user:a:b\n1", &value), Err(Unfit::Forged));

        // Another's key, under our id or its own; a demoted key; the key that was active before.
        assert_eq!(
            open(&ours, KEY, &seal(masters(&[(2, "")]).active(), KEY, ORDER, body)),
            Err(Unfit::Forged)
        );
        assert_eq!(
            open(&masters(&[(2, ""), (1, "demoted")]), KEY, &value),
            Err(Unfit::Forged)
        );
        assert_eq!(open(&masters(&[(2, ""), (1, "")]), KEY, &value), Ok((ORDER, body)));

        // Every byte counts.
        for at in 0..value.len() {
            let mut bytes = value.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(open(&ours, KEY, &changed).is_err(), "{at}: {changed}");
        }
        for length in 0..value.len() {
            assert!(open(&ours, KEY, &value[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn ca_07_an_older_schema_is_no_value() {
        let ours = masters(&[(1, "")]);
        let value = seal(ours.active(), KEY, ORDER, "{}");
        assert_eq!(open(&ours, KEY, &value.replacen('1', "0", 1)), Err(Unfit::Schema));
    }
}
