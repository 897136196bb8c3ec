/* stray_insert */
-- Read again after a restart, a stray is the same row.
INSERT INTO stray_record (topic, kafka_partition, kafka_offset, digest, reason, header_names, header_values, record_key, record_value)
VALUES ($1, $2, $3, sha256($8), $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
