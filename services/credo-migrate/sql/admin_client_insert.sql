/* admin_client_insert */
INSERT INTO client (id, tenant_id, display_name, token_endpoint_auth_method, grant_types, redirect_uris, scope)
VALUES ($1, $2, 'First administrator', 'client_secret_basic', '{client_credentials}', '{}', $3)
