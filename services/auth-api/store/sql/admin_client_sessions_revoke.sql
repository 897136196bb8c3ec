/* admin_client_sessions_revoke */
-- The row is locked. The new epoch ends whatever was issued to the client; the feed tells every replica.
WITH changed AS (
  UPDATE client c SET epoch = c.epoch + 1, version = c.version + 1, updated_at = now()
  WHERE c.tenant_id = $1 AND c.id = $2
  RETURNING c.id, c.tenant_id, c.epoch
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 5, m.tenant_id, m.id, m.epoch, now() + interval '16 minutes' FROM changed m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $3::smallint, m.tenant_id, $4::smallint, m.id, $5::uuid, 1, $6::bytea, $7::bytea FROM changed m
)
SELECT m.epoch FROM changed m
