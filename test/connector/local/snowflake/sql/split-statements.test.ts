import { expect, test } from 'vitest'
import { splitStatements } from '../../../../../connector/local/snowflake/sql/split-statements.ts'

test('statements are split at semicolons that are no part of texts, names or comments', () => {
  expect(
    splitStatements(`select 'a;b' as "x;y"; -- not; here
      ;
      select $$;$$ /* ; */;`),
  ).toEqual([`select 'a;b' as "x;y"`, 'select $$;$$ /* ; */'])
  expect(splitStatements(' ; -- nothing')).toEqual([])
})
