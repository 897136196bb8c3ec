/* refresh_token_introspect */
-- Whether a refresh token would be taken now, without using it.
SELECT s.user_id, s.client_id, s.scope, s.expires_at, s.rotated_at AS "rotated_at!", now() AS "at!"
FROM session s
JOIN tenant t   ON t.id = s.tenant_id AND t.status = 1 AND t.epoch = s.tenant_epoch
JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id AND c.status = 1 AND c.epoch = s.client_epoch
JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id AND u.status = 1 AND u.epoch = s.user_epoch
WHERE s.id = $1 AND s.tenant_id IS NOT DISTINCT FROM $2 AND s.state = 1 AND s.generation = $3 AND s.refresh_hash = $4
  AND s.expires_at > now() AND s.rotated_at + s.idle_ttl > now()
