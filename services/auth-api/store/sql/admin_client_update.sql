/* admin_client_update */
-- The row is locked. The feed tells every replica that what it read of the client is old. A scope that opens the admin APIs ends
-- with all that was issued before: nobody looks at what a client may have when its token is used.
WITH before AS (
  SELECT c.epoch FROM client c WHERE c.tenant_id = $1 AND c.id = $2
), changed AS (
  UPDATE client c SET display_name = $8, first_party = $9, grant_types = $10, redirect_uris = $11,
                      post_logout_redirect_uris = $12, scope = $13, allowed_origins = $14, require_pkce = $15,
                      refresh_grace_seconds = $16, id_token_signed_response_alg = $17, version = c.version + 1,
                      epoch = c.epoch + (EXISTS (
                        SELECT FROM unnest(string_to_array(c.scope, ' ')) AS s (token)
                        WHERE s.token LIKE 'credo.%' AND s.token <> 'credo.sessions'
                          AND s.token <> ALL (string_to_array($13, ' '))))::integer,
                      updated_at = now()
  WHERE c.tenant_id = $1 AND c.id = $2
  RETURNING id, tenant_id, display_name, status, epoch, version, first_party, token_endpoint_auth_method,
            grant_types, redirect_uris, allowed_origins, scope, require_pkce, refresh_grace_seconds, application_type,
            post_logout_redirect_uris, id_token_signed_response_alg, created_at, updated_at
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 7, m.tenant_id, m.id, m.version, now() + interval '16 minutes' FROM changed m
  UNION ALL
  SELECT 5, m.tenant_id, m.id, m.epoch, now() + interval '16 minutes' FROM changed m, before b WHERE m.epoch <> b.epoch
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $3::smallint, m.tenant_id, $4::smallint, m.id, $5::uuid, 1, $6::bytea, $7::bytea FROM changed m
)
SELECT m.id AS "id!", m.tenant_id AS "tenant_id!", m.display_name AS "display_name!", m.status = 1 AS "active!",
       m.epoch AS "epoch!", m.version AS "version!", m.first_party AS "first_party!",
       m.token_endpoint_auth_method AS "token_endpoint_auth_method!", m.grant_types AS "grant_types!",
       m.redirect_uris AS "redirect_uris!", m.allowed_origins AS "allowed_origins!", m.scope AS "scope!",
       m.require_pkce AS "require_pkce!", m.refresh_grace_seconds AS "refresh_grace_seconds!",
       m.application_type AS "application_type!", m.post_logout_redirect_uris AS "post_logout_redirect_uris!",
       m.id_token_signed_response_alg AS "id_token_signed_response_alg!",
       m.created_at AS "created_at!", m.updated_at AS "updated_at!"
FROM changed m
