/* admin_request_find */
-- The caller's id is unique across tenants.
SELECT r.event_id, r.method, r.fingerprint, r.object_id
FROM admin_request r
WHERE r.caller = $1 AND r.request_id = $2
