/* tenant_find_by_slug */
SELECT t.id, t.slug, t.status, t.epoch, t.create_unknown_users, t.dangerous_trust_email
FROM tenant t -- tenant: the row is the tenant
WHERE t.slug = $1
