/* partitions_create */
SELECT audit_create_partitions($1) AS "made!"
