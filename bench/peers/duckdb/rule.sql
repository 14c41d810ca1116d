-- The count rule in DuckDB. As its manual recommends: read_json on the file with the wanted columns and
-- types given (no sampling, nothing else of a record converted), a RANGE window over event time.
-- One thread, since the table is a core's.
SET threads = 1;
.mode tabs
.headers off
WITH refusals AS (
	SELECT device.udid AS device, app.bundle_id AS app, dst_endpoint.hostname AS host, time
	FROM read_json('RECORDS', format = 'newline_delimited', columns = {
		time: 'TIMESTAMP', sensor: 'VARCHAR', outcome: 'VARCHAR',
		device: 'STRUCT(udid VARCHAR)', app: 'STRUCT(bundle_id VARCHAR)',
		dst_endpoint: 'STRUCT(hostname VARCHAR)'})
	WHERE sensor = 'inspection' AND outcome = 'client_reject'
), counted AS (
	SELECT device, app, host, count(*) OVER (
		PARTITION BY device, app, host ORDER BY time
		RANGE BETWEEN INTERVAL 10 MINUTES PRECEDING AND CURRENT ROW) AS n
	FROM refusals
)
SELECT DISTINCT device, app, host FROM counted WHERE n >= 3;
