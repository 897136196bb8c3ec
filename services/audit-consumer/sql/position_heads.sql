/* position_heads */
-- How far each shard is stored, in the newest epoch that it has events of.
SELECT p.shard AS "shard!", p.epoch AS "epoch!", p.next_seq AS "next_seq!", p.running_hash AS "running_hash!"
FROM generate_series(0, 63) s (shard)
CROSS JOIN LATERAL (
    SELECT shard, epoch, next_seq, running_hash FROM position
    WHERE shard = s.shard ORDER BY epoch DESC, first_seq DESC LIMIT 1
) p
