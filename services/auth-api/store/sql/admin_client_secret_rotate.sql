/* admin_client_secret_rotate */
-- The row is locked, so the clock tells the order of rotations: a transaction that waited began before. The newest secret stays
-- good for $10 seconds, or ends now; whatever is older ends now. The feed tells every replica that what it read of the client is old.
-- A secret that ends now may be in wrong hands: what it got for the admin APIs ends with it.
WITH before AS (
  SELECT c.epoch FROM client c WHERE c.tenant_id = $1 AND c.id = $2
), changed AS (
  UPDATE client c SET version = c.version + 1, updated_at = now(),
                      epoch = c.epoch + ($10::float8 <= 0 AND EXISTS (
                        SELECT FROM unnest(string_to_array(c.scope, ' ')) AS s (token)
                        WHERE s.token LIKE 'credo.%' AND s.token <> 'credo.sessions'))::integer
  WHERE c.tenant_id = $1 AND c.id = $2
  RETURNING id, tenant_id, display_name, status, epoch, version, first_party, token_endpoint_auth_method,
            grant_types, redirect_uris, allowed_origins, scope, require_pkce, refresh_grace_seconds, application_type,
            post_logout_redirect_uris, id_token_signed_response_alg, created_at, updated_at
), latest AS (
  SELECT s.id FROM client_secret s
  WHERE s.tenant_id = $1 AND s.client_id = $2 AND (s.expires_at IS NULL OR s.expires_at > now())
  ORDER BY s.created_at DESC, s.id DESC
  LIMIT 1
), ended AS (
  DELETE FROM client_secret s USING changed m
  WHERE s.tenant_id = m.tenant_id AND s.client_id = m.id
    AND ($10::float8 <= 0 OR NOT EXISTS (SELECT FROM latest l WHERE l.id = s.id))
), kept AS (
  UPDATE client_secret s SET expires_at = least(s.expires_at, now() + make_interval(secs => $10::float8))
  FROM changed m, latest l
  WHERE s.tenant_id = m.tenant_id AND s.client_id = m.id AND s.id = l.id AND $10::float8 > 0
), made AS (
  INSERT INTO client_secret (id, tenant_id, client_id, hash, created_at)
  SELECT $8::uuid, m.tenant_id, m.id, $9::bytea, clock_timestamp() FROM changed m
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
