/* client_find */
-- The client names its tenant, so the tenant is found through it; the statement that acts compares both again.
SELECT c.id, c.tenant_id, c.display_name, c.status, c.epoch, c.version, c.first_party, c.token_endpoint_auth_method,
       c.grant_types, c.redirect_uris, c.allowed_origins, c.scope, c.require_pkce, c.refresh_grace_seconds,
       c.application_type, c.post_logout_redirect_uris, c.id_token_signed_response_alg,
       t.slug, t.status AS tenant_status, t.epoch AS tenant_epoch, t.create_unknown_users, t.dangerous_trust_email,
       t.display_name AS tenant_display_name, t.accent_color, t.accent_color_dark, sha256(t.logo) AS logo_sha256,
       (SELECT l.per_minute FROM rate_limit l
        WHERE l.tenant_id = t.id AND l.client_id IS NULL AND l.class = 4) AS address_attempts_per_minute,
       -- The client's own stands behind its tenant's, and so in its place.
       ARRAY(SELECT l.class FROM rate_limit l WHERE l.tenant_id = t.id AND (l.client_id IS NULL OR l.client_id = c.id)
             ORDER BY l.class, l.client_id NULLS FIRST) AS "limit_classes!",
       ARRAY(SELECT l.per_minute FROM rate_limit l WHERE l.tenant_id = t.id AND (l.client_id IS NULL OR l.client_id = c.id)
             ORDER BY l.class, l.client_id NULLS FIRST) AS "limits_per_minute!",
       ARRAY(SELECT s.hash FROM client_secret s
             WHERE s.client_id = c.id AND s.tenant_id IS NOT DISTINCT FROM c.tenant_id
               AND (s.expires_at IS NULL OR s.expires_at > now()) ORDER BY s.id) AS "secret_hashes!",
       ARRAY(SELECT (extract(epoch FROM s.expires_at) * 1000000)::bigint FROM client_secret s
             WHERE s.client_id = c.id AND s.tenant_id IS NOT DISTINCT FROM c.tenant_id
               AND (s.expires_at IS NULL OR s.expires_at > now()) ORDER BY s.id) AS "secrets_expire_at!: Vec<Option<i64>>"
FROM client c
JOIN tenant t ON t.id = c.tenant_id
WHERE c.id = $1
