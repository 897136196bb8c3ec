/* kafka_position_insert */
INSERT INTO kafka_position (topic, kafka_partition, next_offset) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
