/* session_browser */
-- The person and the browser that authorized a session; nothing if no browser did.
SELECT s.user_id, s.device_id
FROM session s
WHERE s.id = $1 AND s.tenant_id IS NOT DISTINCT FROM $2 AND s.browser_session_id IS NOT NULL
