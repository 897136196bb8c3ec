/* browser_session_end */
-- Every sign-in of a person with one browser ends. The rows are locked first: an authorization that holds one of them is
-- committed by then, and the statement that follows sees it (browser_grants_revoke).
WITH locked AS MATERIALIZED (
  SELECT b.id, b.tenant_id
  FROM browser_session b
  WHERE b.tenant_id = $1 AND b.user_id = $2 AND b.device_id = $3 AND b.ended_at IS NULL
  ORDER BY b.id
  FOR NO KEY UPDATE
)
UPDATE browser_session b SET ended_at = now()
FROM locked l
WHERE b.id = l.id AND b.tenant_id IS NOT DISTINCT FROM l.tenant_id
RETURNING b.id
