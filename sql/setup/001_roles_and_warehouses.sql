-- Who may do what, and with which warehouses. Run as ACCOUNTADMIN, once; again changes nothing.
USE ROLE ACCOUNTADMIN;

-- Owns everything; makes and alters.
CREATE ROLE IF NOT EXISTS MTA_ADMIN COMMENT = 'Owns the MTA database';
-- What the sink connector logs in as: writes rows, makes and widens tables, reads rejected rows.
CREATE ROLE IF NOT EXISTS MTA_INGEST COMMENT = 'Writes the MTA tables by Snowpipe Streaming';
-- Reads tables and views.
CREATE ROLE IF NOT EXISTS MTA_ANALYST COMMENT = 'Reads the MTA tables and views';
GRANT ROLE MTA_INGEST TO ROLE MTA_ADMIN;
GRANT ROLE MTA_ANALYST TO ROLE MTA_ADMIN;
GRANT ROLE MTA_ADMIN TO ROLE SYSADMIN;

-- Rows are streamed without a warehouse: this one is for the few statements that make and alter tables.
CREATE WAREHOUSE IF NOT EXISTS MTA_INGEST_WH
  WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE
  STATEMENT_TIMEOUT_IN_SECONDS = 300
  COMMENT = 'Statements of the sink connector';
CREATE WAREHOUSE IF NOT EXISTS MTA_ANALYTICS_WH
  WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE
  STATEMENT_TIMEOUT_IN_SECONDS = 600
  COMMENT = 'Dashboards and queries';
GRANT USAGE ON WAREHOUSE MTA_INGEST_WH TO ROLE MTA_INGEST;
GRANT USAGE, OPERATE ON WAREHOUSE MTA_ANALYTICS_WH TO ROLE MTA_ANALYST;

-- The connector's user has a key and no password: ALTER USER MTA_CONNECT SET RSA_PUBLIC_KEY = '<base64 of key.pub>';
CREATE USER IF NOT EXISTS MTA_CONNECT
  TYPE = SERVICE DEFAULT_ROLE = MTA_INGEST DEFAULT_WAREHOUSE = MTA_INGEST_WH
  COMMENT = 'The sink connector';
GRANT ROLE MTA_INGEST TO USER MTA_CONNECT;
