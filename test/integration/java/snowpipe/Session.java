import com.snowflake.ingest.streaming.ChannelStatus;
import com.snowflake.ingest.streaming.OpenChannelResult;
import com.snowflake.ingest.streaming.SFException;
import com.snowflake.ingest.streaming.SnowflakeStreamingIngestChannel;
import com.snowflake.ingest.streaming.SnowflakeStreamingIngestClient;
import com.snowflake.ingest.streaming.SnowflakeStreamingIngestClientFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Drives Snowflake's own streaming SDK by lines: one flat JSON object in, one answer out. */
public class Session {
  private static final Map<String, SnowflakeStreamingIngestChannel> CHANNELS = new HashMap<>();
  private static SnowflakeStreamingIngestClient client;

  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String answer;
      try {
        answer = "{\"ok\":" + run(line) + "}";
      } catch (Exception error) {
        Throwable cause = error.getCause() instanceof SFException ? error.getCause() : error;
        int status = cause instanceof SFException ? ((SFException) cause).getHttpStatusCode() : 0;
        String name =
            cause instanceof SFException
                ? ((SFException) cause).getErrorCodeName()
                : cause.getClass().getSimpleName();
        answer =
            "{\"error\":{\"name\":" + quoted(name) + ",\"status\":" + status
                + ",\"text\":" + quoted(String.valueOf(cause.getMessage())) + "}}";
      }
      System.out.println(answer);
    }
    System.exit(0);
  }

  private static String run(String line) throws Exception {
    String name = field(line, "channel");
    SnowflakeStreamingIngestChannel channel = CHANNELS.get(name);
    switch (field(line, "op")) {
      case "client":
        return start(line);
      case "open":
        OpenChannelResult opened = client.openChannel(name, null);
        CHANNELS.put(name, opened.getChannel());
        return view(opened.getChannelStatus());
      case "append":
        for (int n = number(line, "start"); n <= number(line, "end"); n++) {
          Map<String, Object> row = new HashMap<>();
          row.put("C", name);
          row.put("N", n);
          row.put("PAD", field(line, "pad"));
          channel.appendRow(row, String.valueOf(n));
        }
        return "true";
      case "commit":
        String token = field(line, "token");
        channel
            .waitForCommit(committed -> token.equals(committed), Duration.ofSeconds(30))
            .get(40, TimeUnit.SECONDS);
        return "true";
      case "status":
        return view(channel.getChannelStatus());
      case "close_channel":
        channel.close(false, Duration.ofSeconds(5));
        return "true";
      case "drop":
        client.dropChannel(name);
        return "true";
      case "close":
        client.close();
        return "true";
      default:
        throw new IllegalArgumentException(line);
    }
  }

  private static String start(String line) {
    Properties properties = new Properties();
    for (String key : new String[] {"account", "user", "role", "url", "private_key"})
      properties.put(key, field(line, key));
    // Its uploads would go to https with the roots that it was built with.
    properties.put("max_buffered_kb_for_rowset_mode", "60000");
    properties.put("max_rowset_payload_size_mb", "60");
    properties.put("mem_throttle_by_process", "false");
    client =
        SnowflakeStreamingIngestClientFactory.builder("java", "DB", "S", "T-STREAMING")
            .setProperties(properties)
            .build();
    return "true";
  }

  private static String view(ChannelStatus status) {
    String token = status.getLatestCommittedOffsetToken();
    return "{\"code\":" + quoted(status.getStatusCode())
        + ",\"committed\":" + (token == null ? "null" : quoted(token))
        + ",\"inserted\":" + status.getRowsInsertedCount()
        + ",\"errors\":" + status.getRowsErrorCount() + "}";
  }

  private static String field(String line, String key) {
    Matcher found = Pattern.compile("\"" + key + "\":\"([^\"]*)\"").matcher(line);
    return found.find() ? found.group(1) : "";
  }

  private static int number(String line, String key) {
    Matcher found = Pattern.compile("\"" + key + "\":(\\d+)").matcher(line);
    if (!found.find()) throw new IllegalArgumentException(key);
    return Integer.parseInt(found.group(1));
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\s+", " ") + "\"";
  }
}
