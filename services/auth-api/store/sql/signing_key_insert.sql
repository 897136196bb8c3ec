/* signing_key_insert */
-- A key that an administrator wants. Uniqueness says that there is one pending and one active.
INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id, tenant_id, kid, algorithm, state, state_at, public_key, master_key_id, created_at
