/* kafka_position_find */
-- $1 the topic, $2 partitions.
SELECT p.number AS "kafka_partition!",
       (SELECT k.next_offset FROM kafka_position k WHERE k.topic = $1 AND k.kafka_partition = p.number
        ORDER BY k.next_offset DESC LIMIT 1) AS "next_offset?"
FROM unnest($2::integer[]) p (number)
