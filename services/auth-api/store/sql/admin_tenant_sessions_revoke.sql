/* admin_tenant_sessions_revoke */
-- The row is locked. The new epoch ends whatever was issued in the tenant; the feed tells every replica.
WITH changed AS (
  UPDATE tenant t SET epoch = t.epoch + 1, version = t.version + 1, updated_at = now()
  WHERE t.id = $1 -- tenant: the row is the tenant
  RETURNING t.id, t.epoch
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 4, m.id, m.id, m.epoch, now() + interval '16 minutes' FROM changed m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $2::smallint, m.id, $3::smallint, m.id, $4::uuid, 1, $5::bytea, $6::bytea FROM changed m
)
SELECT m.epoch FROM changed m
