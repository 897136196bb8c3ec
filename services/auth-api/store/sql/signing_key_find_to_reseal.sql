/* signing_key_find_to_reseal */
-- Keys of all tenants under another master key than $1; each is sealed again by a statement that names its tenant. While
-- replicas with two orders of the file run side by side, the wait keeps them from undoing each other's work all the time.
SELECT k.tenant_id, k.id, k.kid, k.algorithm, k.state, k.state_at, k.public_key, k.sealed_key, k.master_key_id
FROM signing_key k
WHERE k.state IN (1, 2, 3) AND (k.master_key_id < $1 OR k.master_key_id > $1)
  AND (k.master_key_id = ANY($2::smallint[]) OR k.sealed_at <= clock_timestamp() - make_interval(secs => $3::float8))
ORDER BY k.id
LIMIT $4
