/* outbox_pending */
-- Ids handed out above the last published one: without counting a row. Rolled back ids count until the next tick; a row
-- that was drawn before a tick and committed after it does not, for the milliseconds until it is published.
SELECT greatest(0, s.last_id - CASE WHEN p.last_id = 9223372036854775807 THEN t.last_id ELSE p.last_id END) AS "pending!",
       (SELECT max(id) FROM tick) AS "last_tick!"
FROM (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last_id FROM outbox_id) s
CROSS JOIN LATERAL (
    SELECT tick_id, last_id FROM progress
    WHERE epoch = (SELECT max(epoch) FROM incarnation)
    ORDER BY tick_id DESC, last_id DESC LIMIT 1
) p
JOIN tick t ON t.id = p.tick_id
