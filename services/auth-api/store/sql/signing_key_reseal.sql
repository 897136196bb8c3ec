/* signing_key_reseal */
-- Only what is still sealed as it was read.
WITH resealed AS (
  UPDATE signing_key k SET sealed_key = $5, master_key_id = $4, sealed_at = clock_timestamp()
  WHERE k.tenant_id = $1 AND k.id = $2 AND k.master_key_id = $3 AND k.state IN (1, 2, 3)
  RETURNING k.id, k.tenant_id
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $6::smallint, r.tenant_id, $7::smallint, r.id, $8::uuid, 1, $9::bytea, $10::bytea FROM resealed r
