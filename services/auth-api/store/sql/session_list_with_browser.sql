/* session_list_with_browser */
-- The person's live sessions with apps, and the browser that authorized each.
SELECT s.id, c.display_name AS client_name, b.user_agent AS "user_agent?", s.created_at,
       s.rotated_at AS "last_used_at!"
FROM session s
JOIN tenant t   ON t.id = s.tenant_id AND t.status = 1 AND t.epoch = s.tenant_epoch
JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id AND c.status = 1 AND c.epoch = s.client_epoch
JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id AND u.status = 1 AND u.epoch = s.user_epoch
LEFT JOIN browser_session b ON b.id = s.browser_session_id AND b.tenant_id IS NOT DISTINCT FROM s.tenant_id
WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.state = 1
  AND s.expires_at > now() AND s.rotated_at + s.idle_ttl > now()
ORDER BY s.id DESC
LIMIT 100
