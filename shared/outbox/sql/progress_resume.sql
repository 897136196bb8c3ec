/* progress_resume */
-- One snapshot: where publishing stands in the newest epoch, and the head of each shard that has events in it.
SELECT e.epoch AS "epoch!", p.tick_id AS "tick!", p.last_id AS "last_id!",
       h.shard AS "shard?", h.next_seq AS "next_seq?", h.running_hash AS "running_hash?"
FROM (SELECT max(epoch) AS epoch FROM incarnation) e
CROSS JOIN LATERAL (
    SELECT tick_id, last_id FROM progress WHERE epoch = e.epoch ORDER BY tick_id DESC, last_id DESC LIMIT 1
) p
LEFT JOIN LATERAL (
    SELECT newest.shard, newest.next_seq, newest.running_hash
    FROM generate_series(0, 63) s (shard)
    CROSS JOIN LATERAL (
        SELECT shard, next_seq, running_hash FROM progress
        WHERE epoch = e.epoch AND shard = s.shard ORDER BY first_seq DESC LIMIT 1
    ) newest
) h ON true
