/* admin_client_secrets */
-- The secrets that are good now, oldest first.
SELECT s.client_id, s.id, s.created_at, s.expires_at
FROM client_secret s
WHERE s.tenant_id = $1 AND s.client_id = ANY($2) AND (s.expires_at IS NULL OR s.expires_at > now())
ORDER BY s.created_at, s.id
