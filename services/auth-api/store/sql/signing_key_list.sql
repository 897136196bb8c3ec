/* signing_key_list */
-- What verifies and what is published; keys that are gone are neither.
SELECT k.id, k.kid, k.algorithm, k.state, k.state_at, k.public_key, k.sealed_key, k.master_key_id,
       clock_timestamp() AS "at!"
FROM signing_key k
WHERE k.tenant_id = $1 AND k.state IN (1, 2, 3)
ORDER BY k.id
