/* client_origin_registered */
-- A CORS preflight names no client: whether any active one has registered the origin. The index over allowed_origins finds it.
SELECT EXISTS (
  SELECT FROM client c
  JOIN tenant t ON t.id = c.tenant_id
  WHERE c.allowed_origins @> ARRAY[$1::text] AND c.status = 1 AND t.status = 1
) AS "registered!"
