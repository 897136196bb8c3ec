/* admin_consent_lock */
-- What the event tells as "before" is what the change in the same transaction finds. An authorization that holds the row is
-- committed by then, and the statement that ends the sessions sees it.
SELECT n.tenant_id, n.user_id, n.client_id, n.scope, n.granted_at, n.updated_at, n.revoked_at
FROM consent n
WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.client_id = $3
FOR NO KEY UPDATE
