/* tenant_logo_find */
SELECT t.logo AS "logo!"
FROM tenant t -- tenant: the row is the tenant
WHERE t.id = $1 AND t.logo IS NOT NULL
