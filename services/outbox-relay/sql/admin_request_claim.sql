/* admin_request_claim */
-- As auth-api does it. Waits for a call of the same id that is under way. No row: the id was used in the last 24 hours.
INSERT INTO admin_request (caller, request_id, event_id, method, fingerprint, object_id)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (caller, request_id) DO UPDATE
SET event_id = excluded.event_id, method = excluded.method, fingerprint = excluded.fingerprint,
    object_id = excluded.object_id, created_at = now()
WHERE admin_request.created_at < now() - interval '24 hours'
RETURNING event_id
