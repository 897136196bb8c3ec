/* admin_client_list */
-- $2 is the last id of the page before.
SELECT c.id, c.tenant_id, c.display_name, c.status = 1 AS "active!", c.epoch, c.version, c.first_party,
       c.token_endpoint_auth_method, c.grant_types, c.redirect_uris, c.allowed_origins, c.scope, c.require_pkce,
       c.refresh_grace_seconds, c.application_type, c.post_logout_redirect_uris, c.id_token_signed_response_alg,
       c.created_at, c.updated_at
FROM client c
WHERE c.tenant_id = $1 AND c.status <> 3 AND ($2::uuid IS NULL OR c.id > $2)
ORDER BY c.id
LIMIT $3
