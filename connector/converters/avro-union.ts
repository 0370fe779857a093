import type { AvroNode, UnionNode } from './avro-node.ts'
import { nameParts } from './avro-node.ts'

const simple = (branch: AvroNode): string =>
  'fullName' in branch ? nameParts(branch.fullName).name : branch.kind

/**
 * The struct field that holds each branch's value; undefined for null, which is the struct's absence.
 * Confluent uses the simple name of a named type, and the full one with `enhanced.avro.schema.support`;
 * here also where two simple names are the same.
 */
export function unionFieldNames(node: UnionNode, enhanced: boolean): (string | undefined)[] {
  const names = node.branches.map(simple)
  return node.branches.map((branch, i) => {
    if (branch.kind === 'null') return undefined
    const name = simple(branch)
    const ambiguous = names.some((other, j) => other === name && j !== i)
    return 'fullName' in branch && (enhanced || ambiguous) ? branch.fullName : name
  })
}
