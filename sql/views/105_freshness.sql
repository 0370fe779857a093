-- How old what we know is: seconds since the last record, and of the last hour how long observations took to be received,
-- and received records to be sent to Snowflake.
CREATE OR REPLACE VIEW FRESHNESS COMMENT = 'Age and latency of the records, by feed' AS
SELECT FEED_ID,
  MAX(FETCHED_AT) AS LAST_RECORD_AT,
  DATEDIFF(second, MAX(FETCHED_AT), CURRENT_TIMESTAMP()) AS SECONDS_SINCE_LAST_RECORD,
  MEDIAN(DATEDIFF(millisecond, VEHICLE_TIMESTAMP, FETCHED_AT)) / 1000 AS FEED_LATENCY_MEDIAN_S,
  MAX(DATEDIFF(millisecond, VEHICLE_TIMESTAMP, FETCHED_AT)) / 1000 AS FEED_LATENCY_MAX_S,
  MEDIAN(RECORD_METADATA:SnowflakeConnectorPushTime::BIGINT - DATE_PART(epoch_millisecond, FETCHED_AT)) / 1000
    AS PIPELINE_LATENCY_MEDIAN_S
FROM VEHICLE_POSITION
WHERE FETCHED_AT >= DATEADD(hour, -1, CURRENT_TIMESTAMP()) AND EVENT_TYPE <> 'VANISHED'
GROUP BY FEED_ID;
