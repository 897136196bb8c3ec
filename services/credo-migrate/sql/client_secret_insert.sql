/* client_secret_insert */
INSERT INTO client_secret (id, tenant_id, client_id, hash) VALUES ($1, $2, $3, $4)
