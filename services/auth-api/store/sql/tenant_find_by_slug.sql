/* tenant_find_by_slug */
SELECT t.id, t.slug, t.display_name, t.accent_color, t.accent_color_dark, sha256(t.logo) AS logo_sha256,
       t.status, t.epoch, t.create_unknown_users, t.dangerous_trust_email
FROM tenant t -- tenant: the row is the tenant
WHERE t.slug = $1
