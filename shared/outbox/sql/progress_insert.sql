/* progress_insert */
-- The primary key (epoch, shard, first_seq) is the fence: whoever comes second gets a unique violation and changes nothing.
INSERT INTO progress (epoch, shard, first_seq, next_seq, tick_id, last_id, running_hash)
SELECT $1, s.shard, s.first_seq, s.next_seq, $2, $3, s.running_hash
FROM unnest($4::smallint[], $5::bigint[], $6::bigint[], $7::bytea[]) s (shard, first_seq, next_seq, running_hash)
ORDER BY s.shard
