/* browser_session_touch */
-- Somebody uses a signed-in browser. What went idle since it was found stays so.
UPDATE browser_session b SET seen_at = now()
WHERE b.id = $1 AND b.tenant_id IS NOT DISTINCT FROM $2
  AND b.ended_at IS NULL AND b.seen_at + b.idle_ttl > now() AND b.seen_at <= now() - interval '1 minute'
