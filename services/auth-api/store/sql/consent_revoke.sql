/* consent_revoke */
-- The row is locked first: an authorization that holds it is committed by then, and the statement that follows sees it
-- (client_grants_revoke).
WITH revoked AS (
  UPDATE consent n SET revoked_at = now(), updated_at = now()
  WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.client_id = $3 AND n.revoked_at IS NULL
  RETURNING n.tenant_id, n.user_id
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $4::smallint, r.tenant_id, $5::smallint, r.user_id, $6::uuid, 1, $7::bytea, $8::bytea FROM revoked r
)
SELECT r.user_id FROM revoked r
