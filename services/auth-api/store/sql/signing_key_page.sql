/* signing_key_page */
-- A tenant's keys, newest first; those that are gone only if they are asked for.
SELECT k.id, k.tenant_id, k.kid, k.algorithm, k.state, k.state_at, k.public_key, k.master_key_id, k.created_at
FROM signing_key k
WHERE k.tenant_id = $1 AND ($2::bool OR k.state IN (1, 2, 3)) AND ($3::uuid IS NULL OR k.id < $3)
ORDER BY k.id DESC
LIMIT $4
