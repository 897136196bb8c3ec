/* signing_key_insert_first */
-- The first active key of a tenant and algorithm wins; another replica's later one is dropped, and its event too.
WITH made AS (
  INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
  VALUES ($1, $2, $3, $4, 2, $5, $6, $7)
  ON CONFLICT (tenant_id, algorithm) WHERE state = 2 DO NOTHING
  RETURNING id, tenant_id
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $8::smallint, m.tenant_id, $9::smallint, m.id, $10::uuid, 1, $11::bytea, $12::bytea FROM made m
