/* outbox_oldest */
-- The first above the last published id, or one of a transaction that the published tick saw running.
SELECT oldest.event_id AS "event_id!"
FROM (
    SELECT tick_id, last_id FROM progress
    WHERE epoch = (SELECT max(epoch) FROM incarnation)
    ORDER BY tick_id DESC, last_id DESC LIMIT 1
) p
JOIN tick t ON t.id = p.tick_id
CROSS JOIN LATERAL (
    (SELECT o.event_id
     FROM outbox o
     WHERE o.id > CASE WHEN p.last_id = 9223372036854775807 THEN t.last_id ELSE p.last_id END
     ORDER BY o.id LIMIT 1)
    UNION ALL
    (SELECT o.event_id
     FROM pg_snapshot_xip(t.snap) x (xid)
     CROSS JOIN LATERAL (SELECT event_id FROM outbox WHERE xid = x.xid LIMIT 1) o
     WHERE p.last_id = 9223372036854775807
     LIMIT 1)
    ORDER BY 1 LIMIT 1
) oldest
