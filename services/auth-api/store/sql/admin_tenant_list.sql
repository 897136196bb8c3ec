/* admin_tenant_list */
-- $1 is the only tenant that the caller may see, or nothing if it may see all; $2 the last id of the page before.
SELECT t.id, t.slug, t.display_name, t.status = 1 AS "active!", t.epoch, t.version, t.create_unknown_users,
       t.dangerous_trust_email, t.accent_color, t.accent_color_dark, sha256(t.logo) AS logo_sha256,
       t.created_at, t.updated_at
FROM tenant t -- tenant: the row is the tenant
WHERE t.status <> 3 AND ($1::uuid IS NULL OR t.id = $1) AND ($2::uuid IS NULL OR t.id > $2)
ORDER BY t.id
LIMIT $3
