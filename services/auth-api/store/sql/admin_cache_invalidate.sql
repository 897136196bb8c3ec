/* admin_cache_invalidate */
-- What was read before now, of each of $2 ($1: in which tenant), is to be read again by every replica. The event is $4's.
WITH feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 8, $1::uuid, o.id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, now() + interval '16 minutes'
  FROM unnest($2::uuid[]) AS o (id)
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
VALUES ($3::smallint, $4::uuid, $5::smallint, $6::uuid, $7::uuid, 1, $8::bytea, $9::bytea)
