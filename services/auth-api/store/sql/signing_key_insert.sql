/* signing_key_insert */
-- The first active key of a tenant and algorithm wins; another replica's later one is dropped.
INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
VALUES ($1, $2, $3, $4, 2, $5, $6, $7)
ON CONFLICT (tenant_id, algorithm) WHERE state = 2 DO NOTHING
