import fc from 'fast-check';

/** JSON texts as people and programs write them, and worse: any spelling that RFC 8259 has, valid all of them. */

const space = fc.constantFrom('', '', '', '', ' ', '\n', '\t', '\r', ' \r\n\t ', ' '.repeat(20));

const plain = fc.string({ unit: fc.constantFrom(...Array.from("abcxyz0189 ,:{}[]/'_-.\x7f")), maxLength: 40 });
const beyondAscii = fc.constantFrom(...Array.from('éß߿ࠀ€\ud7ff\ue000\ufeff\uffff\u2028😀\u{10000}\u{10ffff}'));
const escaped = fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t');
/** Lone surrogates too, and digits in both cases. */
const numbered = fc
  .tuple(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }), fc.nat(0x7f)), fc.boolean())
  .map(([unit, upper]) =>
    unit
      .toString(16)
      .padStart(4, '0')
      .replace(/./g, (c) => (upper ? c.toUpperCase() : c)),
  )
  .map((digits) => `\\u${digits}`);

/** The inside of a string. */
export const inside = fc
  .array(fc.oneof({ weight: 3, arbitrary: plain }, beyondAscii, escaped, numbered), { maxLength: 6 })
  .map((pieces) => pieces.join(''));

const text = inside.map((inside) => `"${inside}"`);
/** Often the same, so that members have the same name; now and then longer than a scanner keeps. */
const key = fc.oneof(
  text,
  fc.constantFrom('"a"', '"b"', '"name"', '"n\\u0061me"', '""'),
  fc.integer({ min: 60, max: 70 }).map((length) => `"${'k'.repeat(length)}"`),
);
const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/);
const word = fc.constantFrom('true', 'false', 'null');

const { value, object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc
    .tuple(space, fc.oneof({ maxDepth: 6 }, word, number, text, tie('object'), tie('array')), space)
    .map((parts) => parts.join('')),
  object: fc
    .array(fc.tuple(space, key, space, tie('value')), { maxLength: 5 })
    .map((members) => members.map(([before, key, behind, value]) => `${before}${key}${behind}:${value}`))
    .map((members) => `{${members.length > 0 ? members.join(',') : ' '}}`),
  array: fc.array(tie('value'), { maxLength: 5 }).map((elements) => `[${elements.join(',')}]`),
}));

/** A document, and one that is an object. */
export const json = value;
export const jsonObject = object;

/** The ways to write a text inside a JSON string; a text of quotes and letters has many. */
export function spelled(text: string): fc.Arbitrary<string> {
  const characters = Array.from(text).map((character) => {
    const short = JSON.stringify(character).slice(1, -1);
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    const digits = units.map((unit) => unit.toString(16).padStart(4, '0'));
    const long = (digits: string[]): string => digits.map((digits) => `\\u${digits}`).join('');
    return fc.constantFrom(short, short, short, long(digits), long(digits.map((digits) => digits.toUpperCase())));
  });
  return fc.tuple(...characters).map((characters) => characters.join(''));
}

/** A member of that name, however it is spelled, with white space around. */
export function member(name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(space, spelled(name), space, space, value, space)
    .map(([before, name, behind, between, value, after]) => `${before}"${name}"${behind}:${between}${value}${after}`);
}

const strange = fc.constantFrom('x', 'trace', 'metho', 'name ', '\0', '😀').chain((name) => member(name, value));

/** An object with these members in any order, and others between them. */
export function objectOf(...members: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.tuple(...members), fc.array(strange, { maxLength: 2 }))
    .chain(([ours, others]) => fc.shuffledSubarray([...ours, ...others], { minLength: ours.length + others.length }))
    .map((members) => `{${members.join(',')}}`);
}

/** So many arrays and objects in each other. */
export function nested(levels: number): string {
  const kinds = Array.from({ length: levels }, (_, level) => (level % 3 === 0 ? 'array' : 'object'));
  const open = kinds.map((kind) => (kind === 'array' ? '[' : '{"":'));
  const close = kinds.map((kind) => (kind === 'array' ? ']' : '}')).reverse();
  return `${open.join('')}0${close.join('')}`;
}

/** What a slip of a pen, a lost packet or an attacker makes of bytes. */
type Mutation = (bytes: Uint8Array) => Uint8Array;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const byte = fc.oneof(fc.constantFrom(...Buffer.from('{}[]:,"\\u0e-+.tfn \n\0\x1f')), fc.nat(255));

const mutation: fc.Arbitrary<Mutation> = fc
  .tuple(fc.constantFrom('remove', 'insert', 'replace', 'cut', 'repeat', 'swap'), place, place, byte)
  .map(([kind, from, to, byte]) => (bytes) => {
    const at = Math.floor(from * bytes.length);
    const end = at + Math.floor(to * Math.min(8, bytes.length - at));
    const [before, part, behind] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    switch (kind) {
      case 'remove':
        return join(before, behind);
      case 'insert':
        return join(before, Uint8Array.of(byte), bytes.subarray(at));
      case 'replace':
        return join(before, Uint8Array.of(byte), bytes.subarray(at + 1));
      case 'cut':
        return before;
      case 'repeat':
        return join(before, part, part, behind);
      case 'swap':
        return join(before, part.slice().reverse(), behind);
    }
  });

/** Bytes that were text once, with one to three mutations. */
export function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(text, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([text, mutations]) => mutations.reduce((bytes, mutate) => mutate(bytes), new TextEncoder().encode(text)));
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is not UTF-8 is not JSON, and neither is a byte order mark (RFC 8259 §8.1). */
export function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(strictUtf8.decode(bytes));
    return true;
  } catch {
    return false;
  }
}
