-- Where the Iceberg tables' files are. Put your bucket and role in before the first run; an existing volume is kept.
-- An account without a bucket of its own leaves this file out and uses the volume SNOWFLAKE_MANAGED in the next one.
USE ROLE ACCOUNTADMIN;

CREATE EXTERNAL VOLUME IF NOT EXISTS MTA_VOLUME
  STORAGE_LOCATIONS = ((
    NAME = 'mta-iceberg'
    STORAGE_PROVIDER = 'S3'
    STORAGE_BASE_URL = 's3://your-bucket/mta/'
    STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::123456789012:role/mta-iceberg'
  ))
  ALLOW_WRITES = TRUE;
GRANT USAGE ON EXTERNAL VOLUME MTA_VOLUME TO ROLE MTA_ADMIN;
GRANT USAGE ON EXTERNAL VOLUME MTA_VOLUME TO ROLE MTA_INGEST;
-- What to enter as trust policy of the bucket's role.
DESCRIBE EXTERNAL VOLUME MTA_VOLUME;
