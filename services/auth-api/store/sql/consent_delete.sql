/* consent_delete */
-- Only what was revoked can be forgotten: a consent that holds has grants behind it.
WITH deleted AS (
  DELETE FROM consent n
  WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.client_id = $3 AND n.revoked_at IS NOT NULL
  RETURNING n.tenant_id, n.user_id
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $4::smallint, d.tenant_id, $5::smallint, d.user_id, $6::uuid, 1, $7::bytea, $8::bytea FROM deleted d
)
SELECT d.user_id FROM deleted d
