/* client_grants_revoke */
-- What a person authorized a client to ends, wherever it was authorized; $5 is why.
WITH locked AS MATERIALIZED (
  SELECT s.id, s.tenant_id
  FROM session s
  WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.client_id = $3 AND s.state <> 2
  ORDER BY s.id
  FOR NO KEY UPDATE OF s
), updated AS (
  UPDATE session s SET state = 2, refresh_hash = NULL, ended_at = now(), end_reason = $5, attempt_id = $4
  FROM locked l
  WHERE s.id = l.id AND s.tenant_id IS NOT DISTINCT FROM l.tenant_id
  RETURNING s.id, s.tenant_id
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  SELECT 1, n.tenant_id, n.id, now() + interval '16 minutes' FROM updated n
)
SELECT n.id FROM updated n
