/* tick_window */
-- $1 the previous tick. A transaction that it does not show has a younger xid than the tick before it, and so drew its
-- ids after `low`; unless it was running already (xip), and those few are looked up by xid.
SELECT cur.id AS "tick!", prev.snap::text AS "previous!", cur.snap::text AS "current!",
       coalesce((SELECT low.last_id FROM tick low WHERE low.id = $1::bigint - 1), 0) AS "low!", cur.last_id AS "high!"
FROM tick prev
JOIN tick cur ON cur.id = prev.id + 1
WHERE prev.id = $1
