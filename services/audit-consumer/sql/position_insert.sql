/* position_insert */
-- The primary key (shard, epoch, first_seq) is the fence: whoever comes second gets a unique violation and stores nothing.
INSERT INTO position (epoch, shard, first_seq, next_seq, running_hash)
SELECT s.epoch, s.shard, s.first_seq, s.next_seq, s.running_hash
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bytea[])
    AS s (epoch, shard, first_seq, next_seq, running_hash)
ORDER BY s.shard, s.epoch
