/* browser_session_list */
SELECT b.id, b.user_agent, b.auth_time, b.seen_at
FROM browser_session b
JOIN tenant t   ON t.id = b.tenant_id AND t.status = 1 AND t.epoch = b.tenant_epoch
JOIN app_user u ON u.id = b.user_id AND u.tenant_id IS NOT DISTINCT FROM b.tenant_id AND u.status = 1 AND u.epoch = b.user_epoch
WHERE b.tenant_id = $1 AND b.user_id = $2
  AND b.ended_at IS NULL AND b.expires_at > now() AND b.seen_at + b.idle_ttl > now()
ORDER BY b.id DESC
LIMIT 100
