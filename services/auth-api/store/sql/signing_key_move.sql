/* signing_key_move */
-- A step of a locked key. A key that is gone has no private part.
UPDATE signing_key k
SET state = $4::smallint, state_at = clock_timestamp(), sealed_key = CASE WHEN $4::smallint >= 4 THEN ''::bytea ELSE k.sealed_key END
WHERE k.tenant_id = $1 AND k.id = $2 AND k.state = $3
RETURNING k.id, k.tenant_id, k.kid, k.algorithm, k.state, k.state_at, k.public_key, k.master_key_id, k.created_at
