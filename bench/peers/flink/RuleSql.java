import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * The count rule in Flink SQL: an OVER window of RANGE 10 minutes in event time, as the manual has
 * it for a window that slides with every row. (HOP steps by a fixed slide and finds less.) The JSON
 * format is told the wanted columns alone. The watermark waits 15 minutes, as long as pinwatch looks
 * ahead; a row later than that is dropped. Local executor, parallelism 1.
 */
public final class RuleSql {
	public static void main(String[] args) throws Exception {
		Configuration conf = new Configuration();
		conf.setString("parallelism.default", "1");
		conf.setString("table.local-time-zone", "UTC");
		conf.setString("restart-strategy.type", "none");
		TableEnvironment env = TableEnvironment.create(
			EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(conf).build());
		env.executeSql(
			"CREATE TABLE records ("
			+ " `time` TIMESTAMP_LTZ(3), sensor STRING, outcome STRING,"
			+ " device ROW<udid STRING>, app ROW<bundle_id STRING>,"
			+ " dst_endpoint ROW<hostname STRING>,"
			+ " WATERMARK FOR `time` AS `time` - INTERVAL '15' MINUTE"
			+ ") WITH ('connector' = 'filesystem', 'path' = '" + args[0] + "',"
			+ " 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')");
		try (CloseableIterator<Row> rows = env.executeSql(
				"SELECT device, app, host FROM ("
				+ " SELECT device.udid AS device, app.bundle_id AS app,"
				+ "  dst_endpoint.hostname AS host, COUNT(*) OVER ("
				+ "   PARTITION BY device.udid, app.bundle_id, dst_endpoint.hostname"
				+ "   ORDER BY `time` RANGE BETWEEN INTERVAL '10' MINUTE PRECEDING AND CURRENT ROW"
				+ "  ) AS n"
				+ " FROM records WHERE sensor = 'inspection' AND outcome = 'client_reject')"
				+ " WHERE n >= 3").collect()) {
			while (rows.hasNext()) {
				Row r = rows.next();
				System.out.println(r.getField(0) + "\t" + r.getField(1) + "\t" + r.getField(2));
			}
		}
	}
}
