/* events_insert */
-- One shard has one writer, by the fence: so the next numbers of its tenants are the last ones and a row number, in the order
-- of seq, without a lock. The same records get the same numbers, in batches of whatever size.
WITH numbered AS MATERIALIZED (
    SELECT r.tenant_id, r.class, r.event_id, r.epoch, r.shard, r.seq, r.hash, r.core, r.personal, r.type, r.severity, r.outcome,
           r.occurred_at, r.actor_id, r.subject_id, r.client_id, r.session_id, r.quarantine,
           coalesce((SELECT l.tenant_seq FROM leaf l WHERE l.tenant_id = r.tenant_id ORDER BY l.tenant_seq DESC LIMIT 1), 0)
               + row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.epoch, r.shard, r.seq) AS tenant_seq
    FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::bigint[], $5::smallint[], $6::bigint[], $7::bytea[], $8::bytea[],
                $9::bytea[], $10::text[], $11::smallint[], $12::smallint[], $13::timestamptz[], $14::uuid[], $15::uuid[],
                $16::uuid[], $17::uuid[], $18::text[])
        AS r (tenant_id, class, event_id, epoch, shard, seq, hash, core, personal, type, severity, outcome, occurred_at,
              actor_id, subject_id, client_id, session_id, quarantine)
),
leaves AS (
    INSERT INTO leaf (tenant_id, tenant_seq, hash, event_id, epoch, shard, seq)
    SELECT tenant_id, tenant_seq, hash, event_id, epoch, shard, seq FROM numbered
),
apart AS (
    INSERT INTO personal (class, event_id, tenant_id, data)
    SELECT class, event_id, tenant_id, personal FROM numbered WHERE personal IS NOT NULL
)
INSERT INTO event (class, event_id, tenant_id, tenant_seq, type, severity, outcome, occurred_at, actor_id, subject_id, client_id,
                   session_id, quarantine, core)
SELECT class, event_id, tenant_id, tenant_seq, type, severity, outcome, occurred_at, actor_id, subject_id, client_id,
       session_id, quarantine, core
FROM numbered
