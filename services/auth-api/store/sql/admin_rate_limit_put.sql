/* admin_rate_limit_put */
-- The tenant's row is locked, so that changes come one after the other. Without a number ($4) nothing is set any more. The
-- feed tells every replica that what it read of the client, or of the tenant and its clients, is old.
WITH removed AS (
  DELETE FROM rate_limit l
  WHERE l.tenant_id = $1 AND l.client_id IS NOT DISTINCT FROM $2::uuid AND l.class = $3 AND $4::integer IS NULL
), stored AS (
  INSERT INTO rate_limit AS l (tenant_id, client_id, class, per_minute)
  SELECT $1::uuid, $2::uuid, $3::smallint, $4::integer WHERE $4::integer IS NOT NULL
  ON CONFLICT ON CONSTRAINT rate_limit_unique DO UPDATE SET per_minute = excluded.per_minute, updated_at = now()
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 8, $1::uuid, coalesce($2::uuid, $1::uuid),
         (extract(epoch FROM clock_timestamp() + interval '5 seconds') * 1000000)::bigint, now() + interval '16 minutes'
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
VALUES ($5::smallint, $1, $6::smallint, coalesce($2::uuid, $1), $7::uuid, 1, $8::bytea, $9::bytea)
