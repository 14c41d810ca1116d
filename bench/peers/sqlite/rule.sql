-- The count rule in SQLite. One column of lines in, JSON functions to take it apart, a window of
-- RANGE 10 minutes over event time. As its manual recommends for bulk loading: one transaction, no
-- journal, a temporary table in memory.
-- .import takes lines whole in ascii mode, with separators that occur in no record.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE records (line TEXT);
.mode ascii
.separator "\037" "\n"
.import RECORDS records
.mode list
.separator "\t" "\n"
WITH refusals AS (
	SELECT line ->> '$.device.udid' AS device,
	       line ->> '$.app.bundle_id' AS app,
	       line ->> '$.dst_endpoint.hostname' AS host,
	       -- Whole milliseconds: julianday is a float. The window includes both ends.
	       CAST(round((julianday(line ->> '$.time') - 2440587.5) * 86400000) AS INTEGER) AS ms
	FROM records
	WHERE line ->> '$.sensor' = 'inspection' AND line ->> '$.outcome' = 'client_reject'
), counted AS (
	SELECT device, app, host, count(*) OVER (
		PARTITION BY device, app, host ORDER BY ms
		RANGE BETWEEN 600000 PRECEDING AND CURRENT ROW) AS n
	FROM refusals
)
SELECT DISTINCT device, app, host FROM counted WHERE n >= 3;
