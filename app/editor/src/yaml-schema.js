// Where a place in a YAML text is, and what a JSON Schema says of that place.
//
// A path is a list of steps from the top: {key, node} into a mapping, {index, node} into a list;
// `node` is the syntax tree's mapping or list itself, so that a union can be narrowed by what
// stands there already.
import { yamlLanguage } from "@codemirror/lang-yaml";

const MAPPINGS = ["BlockMapping", "FlowMapping"];
const LISTS = ["BlockSequence", "FlowSequence"];
const WORD = /[\w.+-]*$/;

const slice = (text, node) => text.slice(node.from, node.to);
const unquoted = (word) => word.replace(/^(["'])(.*)\1$/s, "$2");

export function parse(text) {
  return yamlLanguage.parser.parse(text);
}

function keyOf(text, pair) {
  const key = pair.getChild("Key");
  return key ? unquoted(slice(text, key)) : null;
}

function pathOf(text, node) {
  const path = [];
  for (let child = node, parent = node.parent; parent; child = parent, parent = parent.parent) {
    if (child.name === "Pair" && MAPPINGS.includes(parent.name)) {
      path.unshift({ key: keyOf(text, child), node: parent });
    } else if (child.name === "Item" && LISTS.includes(parent.name)) {
      const before = parent.getChildren("Item").findIndex((item) => item.from === child.from);
      path.unshift({ index: before, node: parent });
    }
  }
  return path;
}

function ancestor(node, names) {
  let found = node;
  while (found && !names.includes(found.name)) found = found.parent;
  return found;
}

// The key under the pointer: {path, from, to}, or null where there is none.
export function keyAt(text, position) {
  const node = parse(text).resolveInner(position, 1);
  const key = ancestor(node, ["Key"]);
  return key && { path: pathOf(text, key.parent), from: key.from, to: key.to };
}

// What may be completed at `position`, or null: {from, word, isKey, path, mapping, probed, written}.
// `path` leads to the mapping whose key is wanted, or to the value; `written` are the keys that the
// mapping has. `probed` is the text with something in that place, and the nodes are of its tree.
export function completionAt(text, position) {
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  const before = text.slice(lineStart, position);
  const word = before.match(WORD)[0];
  const from = position - word.length;
  const ahead = before.slice(0, before.length - word.length);
  const tail = text.slice(position).match(/^[^\n]*/)[0];
  const beginsNode = /^\s*(- +)*$/.test(ahead) || /[{[,]\s*$/.test(ahead);
  const isValue = /:\s+$/.test(ahead);
  if (!beginsNode && !isValue) return null;
  if (beginsNode && /^[\w.+-]*\s*:/.test(tail)) return null; // a key stands there already
  const probe = (inserted) => {
    const probed = text.slice(0, from) + inserted + text.slice(position);
    const node = parse(probed).resolveInner(from, 1);
    const outside = ancestor(node, ["BlockLiteral", "Comment", "QuotedLiteral"]);
    return { probed, node, isText: Boolean(outside) };
  };
  if (isValue) {
    const { probed, node, isText } = probe(word || "x");
    if (isText || !ancestor(node, ["Pair"])) return null;
    return { from, word, isKey: false, path: pathOf(probed, node), mapping: null, probed, written: [] };
  }
  const { probed, node, isText } = probe(`${word || "x"}: x `);
  const key = ancestor(node, ["Key"]);
  if (isText || !key) return null;
  const mapping = key.parent.parent;
  const path = pathOf(probed, key.parent);
  const written = mapping
    .getChildren("Pair")
    .filter((pair) => pair.from !== key.parent.from)
    .map((pair) => keyOf(probed, pair));
  return { from, word, isKey: true, path: path.slice(0, -1), mapping, probed, written };
}

// The scalar that the mapping `node` has at `key`, as text.
function scalarAt(text, node, key) {
  const pair = node?.getChildren("Pair").find((each) => keyOf(text, each) === key);
  const value = pair?.lastChild;
  if (!value || !["Literal", "QuotedLiteral"].includes(value.name)) return undefined;
  return unquoted(slice(text, value));
}

export class Schema {
  constructor(schema) {
    this.root = schema;
  }

  // Every alternative that a schema stands for, without references and unions. What lies beside
  // a reference, such as a description, counts more than what the definition says.
  alternatives(schema) {
    if (schema === true || !schema) return [];
    if (schema.$ref) {
      const name = schema.$ref.split("/").at(-1);
      const { $ref, ...beside } = schema;
      return this.alternatives({ ...this.root.$defs[name], ...beside });
    }
    const union = schema.oneOf ?? schema.anyOf ?? (schema.allOf?.length === 1 && schema.allOf);
    if (!union) return [schema];
    const { oneOf, anyOf, allOf, discriminator, default: standard, ...beside } = schema;
    return union.flatMap((each) => this.alternatives({ ...each, ...beside }));
  }

  // The alternatives that agree with what the mapping `node` says of its fixed keys, such as kind.
  // The key `asked` is left out: it is the one whose value is wanted.
  narrowed(schemas, text, node, asked = null) {
    if (!node) return schemas;
    return schemas.filter((schema) =>
      Object.entries(schema.properties ?? {}).every(([key, property]) => {
        if (property.const === undefined || key === asked) return true;
        const written = scalarAt(text, node, key);
        return written === undefined || written === String(property.const);
      }),
    );
  }

  // Every schema of the value that `path` leads to; `mapping` is the one that stands there.
  at(path, text, mapping = null) {
    let schemas = this.alternatives(this.root);
    for (const step of path) {
      if ("key" in step) {
        schemas = this.narrowed(schemas, text, step.node, step.key).flatMap((schema) =>
          this.alternatives(schema.properties?.[step.key] ?? schema.additionalProperties),
        );
      } else {
        schemas = schemas.flatMap((schema) => this.alternatives(schema.items));
      }
    }
    return this.narrowed(schemas, text, mapping);
  }

  // [{key, isRequired, schemas}] of the mappings among `schemas`, each key once.
  keys(schemas) {
    const found = new Map();
    for (const schema of schemas) {
      for (const [key, property] of Object.entries(schema.properties ?? {})) {
        const known = found.get(key) ?? { key, isRequired: false, schemas: [] };
        known.isRequired ||= (schema.required ?? []).includes(key);
        known.schemas.push(...this.alternatives(property));
        found.set(key, known);
      }
    }
    return [...found.values()];
  }

  // The words that a value may be, where they are few.
  values(schemas) {
    const found = schemas.flatMap((schema) => {
      if (schema.const !== undefined) return [schema.const];
      if (schema.enum) return schema.enum;
      return schema.type === "boolean" ? [true, false] : [];
    });
    return [...new Set(found.map(String))];
  }
}

// The few facts about a value that a reader asks for; the words for them are the page's.
export function facts(schemas) {
  const types = [...new Set(schemas.map((schema) => schema.type).filter(Boolean))];
  const bounds = {};
  for (const schema of schemas) {
    for (const name of [
      "minimum",
      "maximum",
      "exclusiveMinimum",
      "exclusiveMaximum",
      "minItems",
      "maxItems",
      "maxLength",
      "pattern",
      "default",
    ]) {
      if (schema[name] !== undefined && schema[name] !== null) bounds[name] ??= schema[name];
    }
  }
  // What only one of several alternatives says of itself is not true of the key.
  const said = new Set(schemas.filter((each) => each.type !== "null").map((each) => each.description));
  const description = said.size === 1 ? [...said][0] : undefined;
  return { types: types.filter((type) => type !== "null"), bounds, description };
}
