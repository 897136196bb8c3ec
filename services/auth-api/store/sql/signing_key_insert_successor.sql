/* signing_key_insert_successor */
-- An active key that is due gets one pending successor, whoever makes it first.
WITH due AS (
  SELECT k.tenant_id FROM signing_key k
  WHERE k.tenant_id = $2 AND k.algorithm = $4 AND k.state = 2
    AND k.state_at <= clock_timestamp() - make_interval(secs => $8::float8)
), made AS (
  INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
  SELECT $1::uuid, d.tenant_id, $3::text, $4::text, 1, $5::bytea, $6::bytea, $7::smallint FROM due d
  ON CONFLICT (tenant_id, algorithm) WHERE state = 1 DO NOTHING
  RETURNING id, tenant_id
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $9::smallint, m.tenant_id, $10::smallint, m.id, $11::uuid, 1, $12::bytea, $13::bytea FROM made m
