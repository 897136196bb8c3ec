/* signing_key_revocation_insert */
-- The feed tells every replica: absolute, until no token that we signed with the key lives.
INSERT INTO revocation (kind, tenant_id, id, expires_at) VALUES (3, $1, $2, clock_timestamp() + interval '18 minutes')
