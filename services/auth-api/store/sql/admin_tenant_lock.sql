/* admin_tenant_lock */
-- What the event tells as "before" is what the change in the same transaction finds.
SELECT t.id, t.slug, t.display_name, t.status = 1 AS "active!", t.epoch, t.version, t.create_unknown_users,
       t.dangerous_trust_email, t.accent_color, t.accent_color_dark, sha256(t.logo) AS logo_sha256,
       t.created_at, t.updated_at
FROM tenant t -- tenant: the row is the tenant
WHERE t.id = $1 AND t.status <> 3
FOR NO KEY UPDATE
