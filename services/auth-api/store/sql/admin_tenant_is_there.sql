/* admin_tenant_is_there */
SELECT EXISTS (SELECT FROM tenant t WHERE t.id = $1 AND t.status <> 3) AS "is_there!" -- tenant: the row is the tenant
