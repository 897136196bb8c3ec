-- Why: what is stored, written in the transaction that stores it; DESIGN section 9.
-- Locks: none that matter, all tables are new. Kind: expand.

-- The primary key is the fence: of two consumers that both believe that a shard is theirs, the second changes nothing.
CREATE TABLE position (
    epoch        bigint      NOT NULL,
    shard        smallint    NOT NULL CHECK (shard BETWEEN 0 AND 63),
    first_seq    bigint      NOT NULL CHECK (first_seq >= 1),
    next_seq     bigint      NOT NULL,
    running_hash bytea       NOT NULL CHECK (length(running_hash) = 32), -- after the event before next_seq
    stored_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, epoch, first_seq), -- so that a shard's newest row is one step down the index
    CHECK (next_seq > first_seq)
);

-- Claims: whatever lies below next_offset of this partition is stored. A claim is true for ever, whoever made it and
-- whenever it arrives, so it needs no fence: the highest is where to read from. It saves reading; numbers decide.
CREATE TABLE kafka_position (
    topic           text        NOT NULL,
    kafka_partition integer     NOT NULL,
    next_offset     bigint      NOT NULL,
    stored_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, kafka_partition, next_offset)
);
