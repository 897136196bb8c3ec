/* system_tenant_lock */
SELECT t.id FROM tenant AS t WHERE t.slug = $1 FOR NO KEY UPDATE
