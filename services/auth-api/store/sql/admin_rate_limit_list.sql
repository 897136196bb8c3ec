/* admin_rate_limit_list */
-- What is set for the tenant, and for the client if there is one.
SELECT l.class, l.client_id IS NOT NULL AS "of_client!", l.per_minute
FROM rate_limit l
WHERE l.tenant_id = $1 AND (l.client_id IS NULL OR l.client_id = $2::uuid)
ORDER BY l.class
