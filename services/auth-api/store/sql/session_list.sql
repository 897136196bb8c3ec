/* session_list */
SELECT s.id, s.client_id, c.display_name AS client_name, s.device_id, s.created_at, s.rotated_at AS "rotated_at!",
       s.expires_at
FROM session s
JOIN tenant t   ON t.id = s.tenant_id AND t.status = 1 AND t.epoch = s.tenant_epoch
JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id AND c.status = 1 AND c.epoch = s.client_epoch
JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id AND u.status = 1 AND u.epoch = s.user_epoch
WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.state = 1
  AND s.expires_at > now() AND s.rotated_at + s.idle_ttl > now()
ORDER BY s.id DESC
LIMIT 1000
