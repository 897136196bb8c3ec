/* browser_session_device */
-- The browser of a person's own sign-in.
SELECT b.device_id
FROM browser_session b
WHERE b.id = $1 AND b.tenant_id IS NOT DISTINCT FROM $2 AND b.user_id IS NOT DISTINCT FROM $3
