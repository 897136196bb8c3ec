/* consent_find */
-- What a person lets a client have now.
SELECT k.scope
FROM consent k
WHERE k.tenant_id = $1 AND k.user_id = $2 AND k.client_id = $3 AND k.revoked_at IS NULL
