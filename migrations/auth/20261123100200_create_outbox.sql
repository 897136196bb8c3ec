-- Why: events leave the database in the order in which they were decided; DESIGN section 8.
-- Locks: none that matter, all tables are new. Kind: expand.
--
-- Everything here is insert-only but `lease` and `outbox_slot`. Rows of `outbox` are freed by emptying a whole ring table.

CREATE SEQUENCE outbox_id CACHE 1; -- a cached range per session would break the order of ids under a row lock

CREATE TABLE outbox (
    slot      smallint NOT NULL,
    xid       xid8     NOT NULL DEFAULT pg_current_xact_id(),
    -- The CASE takes the transaction's number before the row's: a row whose xid is younger than a tick then has an id
    -- younger than it too, and a batch is one range of ids.
    id        bigint   NOT NULL DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('outbox_id') END,
    tenant_id uuid     NOT NULL,
    shard     smallint NOT NULL CHECK (shard BETWEEN 0 AND 63),
    aggregate uuid     NOT NULL, -- what keeps order: a session, client, user or tenant
    event_id  uuid     NOT NULL,
    class     smallint NOT NULL CHECK (class IN (1, 2, 3)), -- 1 compliance, 2 security, 3 ops
    core      bytea    NOT NULL,
    personal  bytea    NOT NULL, -- 32-byte salt, then the protobuf
    CHECK (length(core) + length(personal) <= 61440)
) PARTITION BY LIST (slot);
CREATE TABLE outbox_0 PARTITION OF outbox FOR VALUES IN (0);
CREATE TABLE outbox_1 PARTITION OF outbox FOR VALUES IN (1);
CREATE TABLE outbox_2 PARTITION OF outbox FOR VALUES IN (2);
CREATE TABLE outbox_3 PARTITION OF outbox FOR VALUES IN (3);
CREATE INDEX outbox_by_xid ON outbox (xid);
CREATE INDEX outbox_by_id ON outbox (id); -- a tick after hours without a relay is read in chunks, without sorting it each time

-- The ring table that writers use now.
CREATE TABLE outbox_slot (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    slot        smallint    NOT NULL CHECK (slot BETWEEN 0 AND 3),
    switched_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO outbox_slot (slot) VALUES (0);

-- A life of this database: it rises when the database went back and events must be numbered anew.
CREATE TABLE incarnation (
    epoch      bigint      PRIMARY KEY,
    reason     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO incarnation (epoch, reason) VALUES (1, 'created');

-- `last_id` is the outbox id last handed out, read after the snapshot and before `xid` was assigned: whatever the snapshot
-- shows has an id up to it, and a transaction younger than the tick draws only higher ones.
CREATE TABLE tick (
    id         bigint      PRIMARY KEY,
    snap       pg_snapshot NOT NULL,
    last_id    bigint      NOT NULL,
    -- Assigned after the snapshot, and flushed with the tick: so no xid that the snapshot calls finished is used again after
    -- a crash. Absent in the first row alone, which this file writes.
    xid        xid8        CHECK (xid >= pg_snapshot_xmax(snap)),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (id = 0 OR xid IS NOT NULL)
);
INSERT INTO tick (id, snap, last_id) VALUES (0, pg_current_snapshot(), 0);

-- What was published. The primary key is the fence: whoever comes second with a shard's next number changes nothing.
-- The rows of one advance are one transaction and share (tick_id, last_id); the newest pair of an epoch is the place to go on
-- from. Shard -1 marks a tick without rows, and the start of an epoch: `first_seq` is then the tick.
CREATE TABLE progress (
    epoch        bigint      NOT NULL,
    shard        smallint    NOT NULL CHECK (shard BETWEEN -1 AND 63),
    first_seq    bigint      NOT NULL,
    next_seq     bigint      NOT NULL,
    tick_id      bigint      NOT NULL,
    last_id      bigint      NOT NULL, -- the last outbox id of that tick which is published; the whole tick: 2^63 - 1
    running_hash bytea       NOT NULL CHECK (length(running_hash) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (epoch, shard, first_seq),
    CHECK (next_seq >= first_seq)
);
CREATE INDEX progress_by_tick ON progress (epoch, tick_id, last_id);
INSERT INTO progress (epoch, shard, first_seq, next_seq, tick_id, last_id, running_hash)
VALUES (1, -1, 0, 1, 0, 9223372036854775807, decode(repeat('00', 32), 'hex'));

-- Who works. It saves work; nothing depends on it for safety.
CREATE TABLE lease (
    name       text        PRIMARY KEY,
    holder     uuid        NOT NULL,
    term       bigint      NOT NULL,
    expires_at timestamptz NOT NULL
);
