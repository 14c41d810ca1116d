import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.cep.CEP;
import org.apache.flink.cep.functions.PatternProcessFunction;
import org.apache.flink.cep.nfa.aftermatch.AfterMatchSkipStrategy;
import org.apache.flink.cep.pattern.Pattern;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.Collector;

/**
 * The count rule in Flink CEP: three refusals of one key in a row within 10 minutes. As the manual
 * recommends: keyed, strict contiguity (other records are filtered out before), a skip strategy that
 * keeps no partial match that it does not need, object reuse. The watermark waits 15 minutes, as in
 * RuleSql. Local executor, parallelism 1.
 *
 * The manual's watermarks come every 200 ms of wall time: close behind the records while they arrive,
 * hours apart when a day is read at once. With a second argument they come with every second of event
 * time instead, as they would have while the records arrived; for the correctness figures.
 */
public final class RuleCep {
	/** One record; refusals carry their group. */
	public static final class Handshake {
		public long time;
		public String group;
	}

	/** Watermarks by event time, a second apart. */
	public static final class AsArrived implements WatermarkGenerator<Handshake> {
		private long newest = Long.MIN_VALUE;

		@Override
		public void onEvent(Handshake h, long time, WatermarkOutput out) {
			if (newest == Long.MIN_VALUE || time >= newest + 1000) {
				newest = time;
				out.emitWatermark(new Watermark(time - WAIT.toMillis() - 1));
			}
		}

		@Override
		public void onPeriodicEmit(WatermarkOutput out) {
		}
	}

	private static final Duration WAIT = Duration.ofMinutes(15);
	private static final ObjectMapper JSON = new ObjectMapper();

	private static Handshake parse(String line) throws IOException {
		JsonNode r = JSON.readTree(line);
		Handshake h = new Handshake();
		h.time = Instant.parse(r.path("time").textValue()).toEpochMilli();
		if ("inspection".equals(r.path("sensor").textValue())
				&& "client_reject".equals(r.path("outcome").textValue())) {
			h.group = r.path("device").path("udid").textValue() + "\t"
				+ r.path("app").path("bundle_id").textValue() + "\t"
				+ r.path("dst_endpoint").path("hostname").textValue();
		}
		return h;
	}

	public static void main(String[] args) throws Exception {
		StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
		env.setParallelism(1);
		env.getConfig().enableObjectReuse();
		FileSource<String> file = FileSource
			.forRecordStreamFormat(new TextLineInputFormat(), new Path(args[0])).build();
		WatermarkStrategy<Handshake> watermarks = args.length > 1
			? WatermarkStrategy.forGenerator(context -> new AsArrived())
			: WatermarkStrategy.forBoundedOutOfOrderness(WAIT);
		DataStream<Handshake> refusals = env
			.fromSource(file, WatermarkStrategy.noWatermarks(), "records")
			.map(RuleCep::parse)
			.assignTimestampsAndWatermarks(watermarks.withTimestampAssigner((h, t) -> h.time))
			.filter(h -> h.group != null);
		Pattern<Handshake, ?> three = Pattern
			.<Handshake>begin("refusals", AfterMatchSkipStrategy.skipToNext())
			.times(3).consecutive().within(Duration.ofMinutes(10));
		DataStream<String> found = CEP.pattern(refusals.keyBy(h -> h.group), three)
			.process(new PatternProcessFunction<Handshake, String>() {
				@Override
				public void processMatch(Map<String, List<Handshake>> match, Context context,
						Collector<String> out) {
					out.collect(match.get("refusals").get(0).group);
				}
			});
		try (CloseableIterator<String> groups = found.executeAndCollect()) {
			while (groups.hasNext()) {
				System.out.println(groups.next());
			}
		}
	}
}
