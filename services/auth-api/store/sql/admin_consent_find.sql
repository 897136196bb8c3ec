/* admin_consent_find */
SELECT n.tenant_id, n.user_id, n.client_id, n.scope, n.granted_at, n.updated_at, n.revoked_at
FROM consent n
WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.client_id = $3
