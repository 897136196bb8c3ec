/* signing_key_retire_due */
-- The condition is asked of the row again: whoever is first retires it.
WITH gone AS (
  UPDATE signing_key k SET state = 4, state_at = clock_timestamp(), sealed_key = ''
  WHERE k.tenant_id = $1 AND k.id = $2 AND k.state = 3
    AND k.state_at <= clock_timestamp() - make_interval(secs => $3::float8)
  RETURNING k.id, k.tenant_id
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $4::smallint, g.tenant_id, $5::smallint, g.id, $6::uuid, 1, $7::bytea, $8::bytea FROM gone g
