// Snowflake's JDBC driver against an endpoint: java -cp JARS SnowflakeDriver.java PORT KEY_FILE. Prints `ok NAME`.
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.util.Objects;
import java.util.Properties;

public class SnowflakeDriver {
  static void check(String name, Object got, Object expected) {
    if (!Objects.equals(got, expected))
      throw new AssertionError(name + ": expected " + expected + ", got " + got);
    System.out.println("ok " + name);
  }

  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.put("user", "ME");
    properties.put("account", "local");
    properties.put("private_key_file", args[1]);
    properties.put("ssl", "off");
    properties.put("JDBC_QUERY_RESULT_FORMAT", "JSON");
    String url = "jdbc:snowflake://http://127.0.0.1:" + args[0] + "/";
    try (Connection connection = DriverManager.getConnection(url, properties);
        Statement statement = connection.createStatement()) {
      statement.execute("create database if not exists jd");
      statement.execute("create or replace schema jd.s");
      statement.execute("create or replace iceberg table t (id int, name string)");
      statement.execute("create or replace secure view v as select id from t");
      try (ResultSet tables = statement.executeQuery("show tables in schema jd.s")) {
        check("show", tables.next() ? tables.getString("name") : null, "T");
      }
      try (ResultSet row =
          statement.executeQuery(
              "select 42, 1.50, 12345678901234567890123456789012345678, 0.5::float, 'Zürich ☂', true,"
                  + " null, '2024-02-29'::date, '2024-01-31 10:20:30.123456'::timestamp_ntz,"
                  + " '2024-01-31T10:20:30Z'::timestamp_ltz, to_timestamp_tz('2024-01-31 10:20:30 +0530'),"
                  + " to_binary('CAFE'), parse_json('{\"a\":[1,null]}')")) {
        row.next();
        check("integer", row.getLong(1), 42L);
        check("decimal", row.getBigDecimal(2), new BigDecimal("1.50"));
        check("large", row.getBigDecimal(3), new BigDecimal("12345678901234567890123456789012345678"));
        check("real", row.getDouble(4), 0.5);
        check("text", row.getString(5), "Zürich ☂");
        check("boolean", row.getBoolean(6), true);
        check("null", row.getString(7), null);
        check("date", row.getDate(8).toString(), "2024-02-29");
        check("timestamp_ntz", row.getString(9), "2024-01-31 10:20:30.123");
        check("timestamp_ltz", row.getTimestamp(10).toInstant(), Instant.parse("2024-01-31T10:20:30Z"));
        check("timestamp_tz", row.getTimestamp(11).toInstant(), Instant.parse("2024-01-31T04:50:30Z"));
        check("binary", row.getBytes(12).length, 2);
        check("variant", row.getString(13).replaceAll("\\s", ""), "{\"a\":[1,null]}");
        check("type", row.getMetaData().getColumnType(2), Types.DECIMAL);
      }
      try (ResultSet rows =
          statement.executeQuery(
              "select f.value:x::int from table(flatten(input => parse_json('[{\"x\":5},{\"x\":6}]'))) f order by f.index")) {
        rows.next();
        int first = rows.getInt(1);
        rows.next();
        check("flatten", first + "," + rows.getInt(1), "5,6");
      }
      try (PreparedStatement prepared = connection.prepareStatement("select ?, ?, ?, ?, ?")) {
        prepared.setLong(1, 7);
        prepared.setString(2, "o'clock");
        prepared.setNull(3, Types.VARCHAR);
        prepared.setBoolean(4, true);
        prepared.setBigDecimal(5, new BigDecimal("-1.25"));
        try (ResultSet row = prepared.executeQuery()) {
          row.next();
          check(
              "binds",
              row.getLong(1) + row.getString(2) + row.getString(3) + row.getBoolean(4) + row.getBigDecimal(5),
              "7o'clocknulltrue-1.25");
        }
      }
      try {
        statement.executeQuery("select * from nope");
        throw new AssertionError("expected an error");
      } catch (SQLException error) {
        check("error", error.getErrorCode() + " " + error.getSQLState(), "2003 42S02");
      }
    }
    System.out.println("done");
  }
}
