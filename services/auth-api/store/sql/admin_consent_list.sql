/* admin_consent_list */
-- $3 is the last client of the page before; $4: also what was revoked.
SELECT n.tenant_id, n.user_id, n.client_id, n.scope, n.granted_at, n.updated_at, n.revoked_at
FROM consent n
WHERE n.tenant_id = $1 AND n.user_id = $2 AND ($3::uuid IS NULL OR n.client_id > $3)
  AND ($4::boolean OR n.revoked_at IS NULL)
ORDER BY n.client_id
LIMIT $5
