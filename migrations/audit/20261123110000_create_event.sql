-- Why: the audit trail: what happened, the proof of it, and what may be erased of it.
-- Locks: none that matter, all tables are new. Kind: expand.
--
-- Everything here is insert-only; no serving role can change or remove a row. `core` is the truth and is what is proved: the
-- columns beside it exist for filters alone, and all of them come from it. They are absent where it cannot be decoded.

CREATE TABLE event (
    class       smallint    NOT NULL CHECK (class IN (1, 2, 3)), -- 1 compliance, 2 security, 3 ops; fixed for an event id
    event_id    uuid        NOT NULL, -- UUIDv7: unique and in order of time, so months are ranges of it
    tenant_id   uuid        NOT NULL,
    tenant_seq  bigint      NOT NULL CHECK (tenant_seq >= 1),
    type        text,
    severity    smallint,
    outcome     smallint,
    occurred_at timestamptz, -- by the clock of the process where it happened
    actor_id    uuid,
    subject_id  uuid,
    client_id   uuid,
    session_id  uuid,
    quarantine  text, -- why `core` says nothing that could be read; then it is the raw bytes that came
    stored_at   timestamptz NOT NULL DEFAULT now(),
    core        bytea       NOT NULL,
    CHECK ((quarantine IS NULL) = (type IS NOT NULL)),
    PRIMARY KEY (class, event_id)
) PARTITION BY LIST (class);
CREATE TABLE event_compliance PARTITION OF event FOR VALUES IN (1) PARTITION BY RANGE (event_id);
CREATE TABLE event_security PARTITION OF event FOR VALUES IN (2) PARTITION BY RANGE (event_id);
CREATE TABLE event_ops PARTITION OF event FOR VALUES IN (3) PARTITION BY RANGE (event_id);
CREATE INDEX event_by_tenant ON event (tenant_id, tenant_seq);
CREATE INDEX event_by_type ON event (tenant_id, type, tenant_seq);
CREATE INDEX event_by_actor ON event (tenant_id, actor_id, tenant_seq) WHERE actor_id IS NOT NULL;
CREATE INDEX event_by_subject ON event (tenant_id, subject_id, tenant_seq) WHERE subject_id IS NOT NULL;
CREATE INDEX event_by_session ON event (tenant_id, session_id, tenant_seq) WHERE session_id IS NOT NULL;

-- The part that can be erased while every proof stays valid: 32 bytes of salt, then the protobuf.
CREATE TABLE personal (
    class     smallint NOT NULL CHECK (class IN (1, 2, 3)),
    event_id  uuid     NOT NULL,
    tenant_id uuid     NOT NULL,
    data      bytea    NOT NULL,
    PRIMARY KEY (class, event_id)
) PARTITION BY LIST (class);
CREATE TABLE personal_compliance PARTITION OF personal FOR VALUES IN (1) PARTITION BY RANGE (event_id);
CREATE TABLE personal_security PARTITION OF personal FOR VALUES IN (2) PARTITION BY RANGE (event_id);
CREATE TABLE personal_ops PARTITION OF personal FOR VALUES IN (3) PARTITION BY RANGE (event_id);

-- The leaves of the tenants' trees: they outlive the events, which retention drops by the month.
CREATE TABLE leaf (
    tenant_id  uuid     NOT NULL,
    tenant_seq bigint   NOT NULL CHECK (tenant_seq >= 1), -- contiguous
    hash       bytea    NOT NULL CHECK (length(hash) = 32), -- RFC 6962: SHA-256(0x00 ‖ core)
    event_id   uuid     NOT NULL,
    epoch      bigint   NOT NULL,
    shard      smallint NOT NULL CHECK (shard BETWEEN 0 AND 63),
    seq        bigint   NOT NULL CHECK (seq >= 1),
    PRIMARY KEY (tenant_id, tenant_seq),
    CONSTRAINT leaf_number UNIQUE (epoch, shard, seq)
);

-- Records of the topic that have no place in the trail: whoever wrote them was not the relay, or claims an event that is
-- stored with other bytes. Kept whole, for somebody to look at.
CREATE TABLE stray_record (
    topic           text        NOT NULL,
    kafka_partition integer     NOT NULL,
    kafka_offset    bigint      NOT NULL,
    digest          bytea       NOT NULL CHECK (length(digest) = 32), -- SHA-256 of value: offsets start again in a new topic
    reason          text        NOT NULL,
    header_names    text[]      NOT NULL,
    header_values   bytea[]     NOT NULL,
    record_key      bytea,
    record_value    bytea,
    stored_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, kafka_partition, kafka_offset, digest)
);
