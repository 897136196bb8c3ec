/* stored_lookup */
-- For each record: what is stored under its number, and under its event id. Records of which neither is stored are absent.
SELECT r.place AS "place!", n.event_id AS "number_event_id?", n.hash AS "number_hash?", k.hash AS "event_hash?"
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::smallint[], $5::uuid[]) WITH ORDINALITY
    AS r (epoch, shard, seq, class, event_id, place)
LEFT JOIN LATERAL (
    SELECT l.event_id, l.hash FROM leaf l WHERE l.epoch = r.epoch AND l.shard = r.shard AND l.seq = r.seq LIMIT 1
) n ON true
LEFT JOIN LATERAL (
    SELECT l.hash FROM event e JOIN leaf l ON l.tenant_id = e.tenant_id AND l.tenant_seq = e.tenant_seq
    WHERE e.class = r.class AND e.event_id = r.event_id LIMIT 1
) k ON true
WHERE n.event_id IS NOT NULL OR k.hash IS NOT NULL
