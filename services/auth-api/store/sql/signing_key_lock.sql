/* signing_key_lock */
-- All keys of a tenant and algorithm that a step may concern. The clock is read before the locks: nothing seems older than it is.
SELECT k.id, k.tenant_id, k.kid, k.algorithm, k.state, k.state_at, k.public_key, k.master_key_id, k.created_at,
       statement_timestamp() AS "at!"
FROM signing_key k
WHERE k.tenant_id = $1 AND k.algorithm = $2 AND (k.state IN (1, 2, 3) OR k.id = $3)
ORDER BY k.id
FOR NO KEY UPDATE
