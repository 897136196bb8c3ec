/* revocation_poll */
-- What became visible since the snapshot $1, whoever it concerns: tenant walls stand where the feed is asked.
-- A late commit is in the next answer. Also: the clock, and the ring table that events go to.
SELECT pg_current_snapshot()::text AS "snapshot!", clock_timestamp() AS "at!", o.slot AS "slot!",
       r.kind AS "kind?", r.tenant_id AS "tenant_id?", r.id AS "id?", r.epoch AS "epoch?", r.except_sid AS "except_sid?",
       r.expires_at AS "expires_at?"
FROM outbox_slot o
LEFT JOIN revocation r
  ON r.xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(r.xid, $1::text::pg_snapshot)
 AND r.expires_at > now()
