/* signing_key_list */
-- What verifies and what is published; retired keys are neither.
SELECT k.id, k.kid, k.algorithm, k.state, k.public_key, k.sealed_key, k.master_key_id
FROM signing_key k
WHERE k.tenant_id = $1 AND k.state IN (1, 2, 3)
ORDER BY k.id
