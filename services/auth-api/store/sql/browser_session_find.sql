/* browser_session_find */
-- A signed-in browser that is alive by every rule but its secret, which the caller compares in constant time.
SELECT b.id, b.user_id, b.device_id, b.secret_hash, b.auth_time, b.amr, u.email, u.display_name, now() AS "at!",
       b.seen_at <= now() - interval '1 minute' AS "unseen!"
FROM browser_session b
JOIN tenant t   ON t.id = b.tenant_id
JOIN app_user u ON u.id = b.user_id AND u.tenant_id IS NOT DISTINCT FROM b.tenant_id
WHERE b.id = $1 AND b.tenant_id IS NOT DISTINCT FROM $2
  AND b.ended_at IS NULL AND b.expires_at > now() AND b.seen_at + b.idle_ttl > now()
  AND t.status = 1 AND t.epoch = b.tenant_epoch AND u.status = 1 AND u.epoch = b.user_epoch
