/* tick */
-- One statement, one transaction of its own, synchronous_commit on. Ticks when a row was committed since the newest tick, or
-- when that is 30 s old. No row comes back if there was nothing to do, or if somebody else ticked at the same time.
-- The sequence is read after the statement's snapshot was taken and before the transaction gets its xid.
INSERT INTO tick (id, snap, last_id, xid)
SELECT p.id + 1, pg_current_snapshot(), s.last_id, CASE WHEN s.last_id IS NOT NULL THEN pg_current_xact_id() END
FROM (SELECT id, snap, created_at FROM tick ORDER BY id DESC LIMIT 1) p
CROSS JOIN (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last_id FROM outbox_id) s
WHERE p.created_at < clock_timestamp() - interval '30 seconds'
   OR EXISTS (SELECT FROM outbox o WHERE o.xid >= pg_snapshot_xmax(p.snap))
   OR EXISTS (SELECT FROM pg_snapshot_xip(p.snap) x (xid)
              CROSS JOIN LATERAL (SELECT FROM outbox WHERE xid = x.xid LIMIT 1) o) -- LIMIT: by the index, one xid at a time
ON CONFLICT (id) DO NOTHING
RETURNING id
