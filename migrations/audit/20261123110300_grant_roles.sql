-- Why: the consumer adds and cannot change; the reader sees one tenant at a time.
-- Locks: none that matter. Kind: expand. The login roles exist already: credo-migrate makes them.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO credo_audit_consumer, credo_audit_reader;

GRANT SELECT, INSERT ON event, personal, leaf, position, kafka_position, stray_record TO credo_audit_consumer;
GRANT EXECUTE ON FUNCTION audit_create_partitions TO credo_audit_consumer;

GRANT SELECT ON event, personal, leaf TO credo_audit_reader;

-- Through the parents only: partitions are granted to nobody.
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE personal ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaf ENABLE ROW LEVEL SECURITY;
CREATE POLICY consumer ON event TO credo_audit_consumer USING (true) WITH CHECK (true);
CREATE POLICY consumer ON personal TO credo_audit_consumer USING (true) WITH CHECK (true);
CREATE POLICY consumer ON leaf TO credo_audit_consumer USING (true) WITH CHECK (true);
-- Unset or empty: no rows.
CREATE POLICY reader ON event FOR SELECT TO credo_audit_reader
    USING (tenant_id = nullif(current_setting('credo.tenant_id', true), '')::uuid);
CREATE POLICY reader ON personal FOR SELECT TO credo_audit_reader
    USING (tenant_id = nullif(current_setting('credo.tenant_id', true), '')::uuid);
CREATE POLICY reader ON leaf FOR SELECT TO credo_audit_reader
    USING (tenant_id = nullif(current_setting('credo.tenant_id', true), '')::uuid);
