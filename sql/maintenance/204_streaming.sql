-- What the streaming does: channels with their committed positions, the pipes that Snowflake makes for them, tables, and
-- the rows that were rejected.
SHOW CHANNELS;
SHOW PIPES;
SHOW ICEBERG TABLES;
SELECT * FROM ERROR_TABLE(VEHICLE_POSITION) LIMIT 100;
-- Each offset of a partition is there once: anything else is a loss or a doubling (compacted topics have gaps).
SELECT RECORD_METADATA:topic::STRING AS TOPIC, RECORD_METADATA:partition::INT AS PARTITION_NUMBER,
  RECORD_METADATA:topicId::STRING AS TOPIC_ID,
  COUNT(*) AS ROW_COUNT,
  COUNT(DISTINCT RECORD_METADATA:offset::BIGINT) AS OFFSETS,
  MIN(RECORD_METADATA:offset::BIGINT) AS FIRST_OFFSET,
  MAX(RECORD_METADATA:offset::BIGINT) AS LAST_OFFSET
FROM VEHICLE_POSITION
GROUP BY ALL
ORDER BY TOPIC, PARTITION_NUMBER, TOPIC_ID;
