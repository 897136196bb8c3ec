/* signing_key_find */
-- One key, whatever became of it.
SELECT k.id, k.tenant_id, k.kid, k.algorithm, k.state, k.state_at, k.public_key, k.master_key_id, k.created_at
FROM signing_key k
WHERE k.tenant_id = $1 AND k.id = $2
