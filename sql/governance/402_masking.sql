-- Tagged texts are shown whole to MTA_ADMIN and to what writes them, and as a stable digest to everybody else: joins by it still work.
CREATE MASKING POLICY IF NOT EXISTS MTA_MASK_TEXT AS (VAL STRING) RETURNS STRING ->
  CASE WHEN IS_ROLE_IN_SESSION('MTA_ADMIN') OR IS_ROLE_IN_SESSION('MTA_INGEST') THEN VAL ELSE SHA2(VAL) END
  COMMENT = 'Digest for all but MTA_ADMIN';
-- On the tag, so that each column that gets the tag is masked. FORCE: in place of the policy that was there.
ALTER TAG MTA_SENSITIVITY SET MASKING POLICY MTA_MASK_TEXT FORCE;
SHOW MASKING POLICIES LIKE 'MTA%';
