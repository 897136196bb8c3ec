-- Why: months are partitions, so that retention is a DROP; the consumer, which cannot do DDL, asks for them in time.
-- Locks: of the function: SHARE UPDATE EXCLUSIVE on the parents, ACCESS EXCLUSIVE on the default partitions, for as long as it
-- takes to see that they are empty; it gives up after one second. Kind: expand.

-- Whatever has an id of no month in sight.
CREATE TABLE event_compliance_default PARTITION OF event_compliance DEFAULT;
CREATE TABLE event_security_default PARTITION OF event_security DEFAULT;
CREATE TABLE event_ops_default PARTITION OF event_ops DEFAULT;
CREATE TABLE personal_compliance_default PARTITION OF personal_compliance DEFAULT;
CREATE TABLE personal_security_default PARTITION OF personal_security DEFAULT;
CREATE TABLE personal_ops_default PARTITION OF personal_ops DEFAULT;

-- The lowest UUIDv7 of an instant.
CREATE FUNCTION uuid_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;

-- Makes the partitions from last month to `months_ahead` months from now that are missing; returns how many it made.
-- A month whose rows lie in a default partition already stays there: the warning says so.
CREATE FUNCTION audit_create_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
    parent text;
    month  timestamptz;
    child  text;
    made   integer := 0;
BEGIN
    IF months_ahead NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'months_ahead must lie between 0 and 24' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('audit_create_partitions'));
    FOREACH parent IN ARRAY ARRAY['event_compliance', 'event_security', 'event_ops',
                                  'personal_compliance', 'personal_security', 'personal_ops'] LOOP
        FOR ahead IN -1 .. months_ahead LOOP
            month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead)) AT TIME ZONE 'UTC';
            child := parent || to_char(month AT TIME ZONE 'UTC', '_YYYY_MM');
            CONTINUE WHEN to_regclass(child) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child,
                    uuid_floor(month),
                    uuid_floor((month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'));
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'partition % was not made: its rows are in the default partition', child;
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

SELECT audit_create_partitions(3);
