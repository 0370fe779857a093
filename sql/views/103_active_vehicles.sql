-- Vehicles that were seen in the last ten minutes, by feed. A vehicle is heard of at least every heartbeat (heartbeat.ms).
CREATE OR REPLACE VIEW ACTIVE_VEHICLES COMMENT = 'Vehicles seen in the last ten minutes, by feed' AS
SELECT FEED_ID,
  COUNT(*) AS VEHICLES,
  COUNT(LATITUDE) AS VEHICLES_WITH_POSITION,
  COUNT(DISTINCT ROUTE_ID) AS LINES,
  MAX(FETCHED_AT) AS LAST_RECORD_AT
FROM CURRENT_FLEET
WHERE FETCHED_AT >= DATEADD(minute, -10, CURRENT_TIMESTAMP())
GROUP BY FEED_ID;
