/* admin_request_find */
-- The caller's id is unique across tenants.
SELECT r.method, r.fingerprint FROM admin_request r WHERE r.caller = $1 AND r.request_id = $2
