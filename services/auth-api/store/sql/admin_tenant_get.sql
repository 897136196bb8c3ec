/* admin_tenant_get */
-- By id or by slug. $3 is the only tenant that the caller may see, or nothing if it may see all.
SELECT t.id, t.slug, t.display_name, t.status = 1 AS "active!", t.epoch, t.version, t.create_unknown_users,
       t.dangerous_trust_email, t.accent_color, t.accent_color_dark, sha256(t.logo) AS logo_sha256,
       t.created_at, t.updated_at
FROM tenant t -- tenant: the row is the tenant
WHERE t.status <> 3 AND (t.id = $1 OR t.slug = $2) AND ($3::uuid IS NULL OR t.id = $3)
