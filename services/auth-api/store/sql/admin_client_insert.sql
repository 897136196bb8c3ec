/* admin_client_insert */
-- The client, its secret if it has one, and the event are one commit. No row: the tenant does not exist.
WITH made AS (
  INSERT INTO client (id, tenant_id, display_name, first_party, token_endpoint_auth_method, grant_types, redirect_uris,
                      allowed_origins, scope, require_pkce, refresh_grace_seconds, application_type,
                      post_logout_redirect_uris, id_token_signed_response_alg)
  SELECT $1::uuid, t.id, $3::text, $4::boolean, $5::text, $6::text[], $7::text[], $8::text[], $9::text, $10::boolean,
         $11::integer, $12::text, $13::text[], $14::text
  FROM tenant t WHERE t.id = $2 AND t.status <> 3 -- tenant: the row is the tenant
  RETURNING id, tenant_id, display_name, status, epoch, version, first_party, token_endpoint_auth_method,
            grant_types, redirect_uris, allowed_origins, scope, require_pkce, refresh_grace_seconds, application_type,
            post_logout_redirect_uris, id_token_signed_response_alg, created_at, updated_at
), secret AS (
  INSERT INTO client_secret (id, tenant_id, client_id, hash)
  SELECT $15::uuid, m.tenant_id, m.id, $16::bytea FROM made m WHERE $16::bytea IS NOT NULL
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $17::smallint, m.tenant_id, $18::smallint, m.id, $19::uuid, 1, $20::bytea, $21::bytea FROM made m
)
SELECT m.id AS "id!", m.tenant_id AS "tenant_id!", m.display_name AS "display_name!", m.status = 1 AS "active!",
       m.epoch AS "epoch!", m.version AS "version!", m.first_party AS "first_party!",
       m.token_endpoint_auth_method AS "token_endpoint_auth_method!", m.grant_types AS "grant_types!",
       m.redirect_uris AS "redirect_uris!", m.allowed_origins AS "allowed_origins!", m.scope AS "scope!",
       m.require_pkce AS "require_pkce!", m.refresh_grace_seconds AS "refresh_grace_seconds!",
       m.application_type AS "application_type!", m.post_logout_redirect_uris AS "post_logout_redirect_uris!",
       m.id_token_signed_response_alg AS "id_token_signed_response_alg!",
       m.created_at AS "created_at!", m.updated_at AS "updated_at!"
FROM made m
