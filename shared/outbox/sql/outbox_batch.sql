/* outbox_batch */
-- $1, $2 the snapshots of the previous and the current tick; $3 the last id already read of this batch; ($4, $5] the ids
-- that hold the batch but for rows of transactions which the previous tick saw running; $6 the size of a chunk.
(SELECT o.id AS "id!", o.xid::text AS "xid!", o.tenant_id AS "tenant_id!", o.shard AS "shard!", o.aggregate AS "aggregate!",
        o.event_id AS "event_id!", o.class AS "class!", o.core AS "core!", o.personal AS "personal!"
 FROM outbox o
 WHERE o.id > greatest($3::bigint, $4::bigint) AND o.id <= $5::bigint
   AND pg_visible_in_snapshot(o.xid, $2::text::pg_snapshot)
   AND NOT pg_visible_in_snapshot(o.xid, $1::text::pg_snapshot)
 ORDER BY o.id LIMIT $6::bigint)
UNION ALL
(SELECT o.id, o.xid::text, o.tenant_id, o.shard, o.aggregate, o.event_id, o.class, o.core, o.personal
 FROM pg_snapshot_xip($1::text::pg_snapshot) x (xid)
 CROSS JOIN LATERAL (SELECT id, xid, tenant_id, shard, aggregate, event_id, class, core, personal
                     FROM outbox WHERE xid = x.xid OFFSET 0) o -- OFFSET: by the index on xid, never by the one on id
 WHERE pg_visible_in_snapshot(x.xid, $2::text::pg_snapshot) AND o.id > $3::bigint AND o.id <= $4::bigint
 ORDER BY o.id LIMIT $6::bigint)
ORDER BY 1 LIMIT $6::bigint
