/* admin_user_devices */
-- Devices that a person signed in with: those that have a count of attempts of their own (sign_in_attempt_reserve).
SELECT b.device_id AS "device_id!"
FROM browser_session b
WHERE b.tenant_id = $1 AND b.user_id = $2
UNION
SELECT recent.device_id
FROM (SELECT s.device_id FROM session s
      WHERE s.tenant_id = $1 AND s.user_id = $2
      ORDER BY s.id DESC LIMIT 1000) recent
UNION
SELECT k.device_id
FROM known_device k
WHERE k.tenant_id = $1 AND k.user_id = $2
