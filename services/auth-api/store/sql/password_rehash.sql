/* password_rehash */
-- The same password under a stronger hash: the version stays, so that every proof of it stays good. Only while it is the
-- password that was proved.
UPDATE password p SET hash = $4
WHERE p.user_id = $1 AND p.tenant_id IS NOT DISTINCT FROM $2 AND p.version = $3
