/* outbox_pending */
-- Ids handed out above the last published one: without counting a row. Rolled back ids count until the next tick; a row
-- that was drawn before a tick and committed after it does not, for the milliseconds until it is published.
-- The oldest event: the first of the ids above, or one of a transaction that the published tick saw running.
SELECT greatest(0, s.last_id - b.last_id) AS "pending!", newest.id AS "last_tick!", oldest.event_id AS "oldest_event_id?"
FROM (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last_id FROM outbox_id) s
CROSS JOIN (SELECT max(epoch) AS epoch FROM incarnation) e
CROSS JOIN LATERAL (
    SELECT tick_id, last_id FROM progress WHERE epoch = e.epoch ORDER BY tick_id DESC, last_id DESC LIMIT 1
) p
JOIN tick t ON t.id = p.tick_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.last_id = 9223372036854775807 THEN t.last_id ELSE p.last_id END AS last_id
) b
CROSS JOIN (SELECT max(id) AS id FROM tick) newest
LEFT JOIN LATERAL (
    (SELECT o.event_id FROM outbox o WHERE o.id > b.last_id ORDER BY o.id LIMIT 1)
    UNION ALL
    (SELECT o.event_id
     FROM pg_snapshot_xip(t.snap) x (xid)
     CROSS JOIN LATERAL (SELECT event_id FROM outbox WHERE xid = x.xid LIMIT 1) o
     WHERE p.last_id = 9223372036854775807
     LIMIT 1)
    ORDER BY 1 LIMIT 1
) oldest ON true
