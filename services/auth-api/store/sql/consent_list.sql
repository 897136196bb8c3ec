/* consent_list */
SELECT n.client_id, c.display_name AS client_name, n.scope, n.granted_at, n.revoked_at
FROM consent n
JOIN client c ON c.id = n.client_id AND c.tenant_id IS NOT DISTINCT FROM n.tenant_id
WHERE n.tenant_id = $1 AND n.user_id = $2
ORDER BY n.revoked_at IS NOT NULL, c.display_name, n.client_id
LIMIT 1000
