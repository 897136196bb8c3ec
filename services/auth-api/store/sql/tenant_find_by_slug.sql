/* tenant_find_by_slug */
SELECT t.id, t.slug, t.display_name, t.accent_color, t.accent_color_dark, sha256(t.logo) AS logo_sha256,
       t.status, t.epoch, t.create_unknown_users, t.dangerous_trust_email,
       (SELECT l.per_minute FROM rate_limit l
        WHERE l.tenant_id = t.id AND l.client_id IS NULL AND l.class = 4) AS address_attempts_per_minute
FROM tenant t -- tenant: the row is the tenant
WHERE t.slug = $1
