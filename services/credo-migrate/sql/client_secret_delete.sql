/* client_secret_delete */
DELETE FROM client_secret AS s WHERE s.client_id = $1 AND s.tenant_id = $2
