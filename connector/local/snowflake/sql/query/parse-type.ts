import type { TokenReader } from '../token-reader.ts'
import type { TypeName } from './ast.ts'

/** Reads the type of a cast. Whether there is such a type is not asked here. */
export function parseTypeName(reader: TokenReader): TypeName {
  let name = reader.expectName()
  if (name === 'DOUBLE') reader.take('PRECISION')
  if (name === 'CHAR' && reader.take('VARYING')) name = 'VARCHAR'
  const parameters: number[] = []
  let element: TypeName | undefined
  if (reader.take('(')) {
    if (name === 'ARRAY') element = parseTypeName(reader)
    else {
      do parameters.push(reader.expectInteger())
      while (reader.take(','))
    }
    reader.expect(')')
  }
  return { name, parameters, ...(element !== undefined && { element }) }
}
