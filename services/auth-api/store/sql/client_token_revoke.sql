/* client_token_revoke */
-- A token that a client got for itself has no row; its jti goes into the feed.
WITH feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  VALUES (2, $1, $2, now() + interval '16 minutes')
  RETURNING tenant_id
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $3::smallint, f.tenant_id, $4::smallint, $5::uuid, $6::uuid, 2, $7::bytea, $8::bytea FROM feed f
