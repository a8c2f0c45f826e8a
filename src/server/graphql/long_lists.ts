import {
  defaultFieldResolver,
  getNullableType,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isObjectType,
} from "graphql";
import { isLong, pause } from "../../pauses.ts";

/** A list of fewer objects is answered at once. */
const LONG = 256;

/** Has long lists of objects answered in pieces: the fields of 50,000 would hold up all other requests. */
export function answerInPieces(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith("__")) continue;
    for (const field of Object.values(type.getFields())) {
      const list = getNullableType(field.type);
      if (!isListType(list) || isLeafType(getNullableType(list.ofType))) continue;
      const { resolve = defaultFieldResolver } = field;
      field.resolve = (...given) => {
        const items = resolve(...given);
        return items instanceof Promise ? items.then(inPieces) : inPieces(items);
      };
    }
  }
  return schema;
}

function inPieces(items: unknown): unknown {
  return Array.isArray(items) && items.length > LONG ? pieces(items) : items;
}

async function* pieces<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    if (isLong()) await pause();
    yield item;
  }
}
