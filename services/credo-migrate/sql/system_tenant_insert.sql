/* system_tenant_insert */
INSERT INTO tenant (id, slug, display_name) VALUES ($1, $2, 'System')
