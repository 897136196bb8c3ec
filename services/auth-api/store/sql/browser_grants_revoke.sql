/* browser_grants_revoke */
-- What a person authorized with one browser ends, but for what was meant to outlive it (offline_access). $5: a sign-in of
-- the browser has just ended, so there is an event even if nothing was authorized.
WITH locked AS MATERIALIZED (
  SELECT s.id, s.tenant_id
  FROM session s
  WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.state <> 2
    AND s.browser_session_id IN (SELECT b.id FROM browser_session b
                                 WHERE b.tenant_id = $1 AND b.user_id = $2 AND b.device_id = $3)
    AND 'offline_access' <> ALL (string_to_array(s.scope, ' '))
  ORDER BY s.id
  FOR NO KEY UPDATE OF s
), updated AS (
  UPDATE session s SET state = 2, refresh_hash = NULL, ended_at = now(), end_reason = 3, attempt_id = $6
  FROM locked l
  WHERE s.id = l.id AND s.tenant_id IS NOT DISTINCT FROM l.tenant_id
  RETURNING s.id, s.tenant_id
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  SELECT 1, n.tenant_id, n.id, now() + interval '16 minutes' FROM updated n
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $7::smallint, $1, $8::smallint, $4::uuid, $6, 2, $9::bytea, $10::bytea
  WHERE $5::boolean OR EXISTS (SELECT 1 FROM updated)
)
SELECT n.id FROM updated n
