/* admin_session_revoke */
-- The row is locked and has not ended by itself. Its end, the feed's row and the event are one statement.
WITH changed AS (
  UPDATE session s SET state = 2, refresh_hash = NULL, ended_at = now(), end_reason = 4, attempt_id = $5
  WHERE s.id = $1 AND s.tenant_id IS NOT DISTINCT FROM $2
  RETURNING s.id, s.tenant_id
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  SELECT 1, m.tenant_id, m.id, now() + interval '16 minutes' FROM changed m
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $3::smallint, m.tenant_id, $4::smallint, m.id, $5::uuid, 1, $6::bytea, $7::bytea FROM changed m
