import { Arena, make, newArena, scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Kind, Walk } from '../json/reader';
import { textOf } from '../json/text';
import { Item, Page } from '../upstream/page';
import { FanOut } from './fanout';
import { itemSize } from './merge';
import { Words } from './words';

/**
 * Ranks tools by the words of a query: BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009) over
 * names, titles, descriptions and names of arguments. A word in a name counts as if it stood there several times (BM25F).
 * A query that is the name of a tool finds that tool first, so that whatever is there can be found.
 */
const NAME = literal('name');
const TITLE = literal('title');
const DESCRIPTION = literal('description');
const INPUT_SCHEMA = literal('inputSchema');
const PROPERTIES = literal('properties');

const OF_NAME: u32 = 4;
const OF_TITLE: u32 = 3;
const OF_ARGUMENT: u32 = 2;
const OF_DESCRIPTION: u32 = 1;

/** Different words of a query; further ones are not looked for. */
const MOST_WORDS: u32 = 16;
const K1: f32 = 1.2;
const B: f32 = 0.75;

/** For the texts of the tool that is read. */
const work = newArena(16 << 10);

/** A tool, and how well it fits. */
@unmanaged
export class Hit {
  item: Item;
  score: f32;
}

@unmanaged
export class Found {
  /** The best, elements are Hit, best first; of equals the first of the list. */
  hits: List;
  /** How many fit at all. */
  total: u32;
}

/** One search. Tools are documents here, and numbered. */
@unmanaged
class Search {
  /** Hashes of the words, 8 bytes each. */
  words: usize;
  count: u32;
  /** A bit for each of them, by its lowest bits: most words of a text need one look. */
  sieve: u64;
  /** For each document: its weighted length (4), then how often each word stands in it (1), counted to 255. */
  documents: usize;
  size: usize;
  text: Words;
  members: Walk;
  inner: Walk;
  properties: Walk;
  /** The name of the document that is read, in `work`. */
  name: Span;

  take(query: Span): void {
    this.words = scratch.allocate((MOST_WORDS as usize) << 3);
    this.text.begin(query);
    while (this.count < MOST_WORDS && this.text.next()) {
      if (this.indexOf(this.text.hash) >= 0) continue;
      store<u64>(this.words + ((this.count as usize) << 3), this.text.hash);
      this.sieve |= (1 as u64) << (this.text.hash & 63);
      this.count++;
    }
  }

  indexOf(hash: u64): i32 {
    if ((this.sieve & ((1 as u64) << (hash & 63))) === 0) return -1;
    for (let i: u32 = 0; i < this.count; i++) if (load<u64>(this.words + ((i as usize) << 3)) === hash) return i as i32;
    return -1;
  }

  read(item: Item, at: usize): void {
    const isReplaced = item.replacement !== NONE;
    this.name = NONE;
    const members = this.members;
    for (members.begin(isReplaced ? item.replacement : item.object); members.next();) {
      const key = members.key(work);
      if (key === NONE) continue;
      if (equals(key, NAME)) {
        this.name = textOf(members.value, work);
        if (!isReplaced) this.name = newWriter(work, 64).bytes(item.mark).bytes(this.name).written;
        this.addWords(this.name, OF_NAME, at);
      } else if (equals(key, TITLE)) this.addText(members, OF_TITLE, at);
      else if (equals(key, DESCRIPTION)) this.addText(members, OF_DESCRIPTION, at);
      else if (equals(key, INPUT_SCHEMA)) this.addArguments(members, at);
    }
  }

  private addArguments(schema: Walk, at: usize): void {
    if (schema.kind !== Kind.Object) return;
    const inner = this.inner;
    for (inner.begin(schema.value); inner.next();) {
      const key = inner.key(work);
      if (key === NONE || !equals(key, PROPERTIES) || inner.kind !== Kind.Object) continue;
      for (this.properties.begin(inner.value); this.properties.next();) {
        this.addWords(this.properties.key(work), OF_ARGUMENT, at);
      }
    }
  }

  private addText(member: Walk, weight: u32, at: usize): void {
    if (member.kind === Kind.String) this.addWords(textOf(member.value, work), weight, at);
  }

  private addWords(text: Span, weight: u32, at: usize): void {
    const words = this.text;
    let length = load<u32>(at);
    for (words.begin(text); words.next();) {
      length += weight;
      const index = this.indexOf(words.hash);
      if (index < 0) continue;
      const counter = at + 4 + (index as usize);
      store<u8>(counter, min((load<u8>(counter) as u32) + weight, 255) as u8);
    }
    store<u32>(at, length);
  }

  /** How much a word says: the fewer documents have it, the more. */
  weightOf(word: u32, documents: u32): f32 {
    let having: u32 = 0;
    for (let i: u32 = 0; i < documents; i++) {
      if (load<u8>(this.documents + (i as usize) * this.size + 4 + (word as usize)) !== 0) having++;
    }
    return logarithm(1 + (((documents - having) as f32) + 0.5) / ((having as f32) + 0.5));
  }

  /** @param average length of a document */
  score(at: usize, weights: usize, average: f32): f32 {
    const norm = K1 * (1 - B + (B * (load<u32>(at) as f32)) / average);
    let sum: f32 = 0;
    for (let word: u32 = 0; word < this.count; word++) {
      const often = load<u8>(at + 4 + (word as usize)) as f32;
      if (often > 0) sum += (load<f32>(weights + ((word as usize) << 2)) * often * (K1 + 1)) / (often + norm);
    }
    return sum;
  }
}

/** To the base 2, exact for powers of two and straight between them: the exponent of a float, and what stands behind it. */
function logarithm(value: f32): f32 {
  return ((reinterpret<i32>(value) - 0x3f800000) as f32) / 0x800000;
}

/** Bytes that a search over these tools takes beside their lists. @param tools elements are Item */
export function searchSize(tools: List): u64 {
  let largest: u64 = 0;
  for (let i = 0; i < tools.count; i++) largest = max(largest, itemSize(itemAt(tools, i)));
  // The texts of a tool are copied where they have escapes.
  return (tools.count as u64) * ((4 + MOST_WORDS) as u64) + 2 * largest;
}

/** The tools that are chosen, in the order of a list: elements are Item. */
export function chosenItems(fanOut: FanOut, arena: Arena): List {
  const chosen = newList(arena);
  for (let i = 0; i < fanOut.calls.count; i++) {
    const pages = fanOut.at(i).pages;
    for (let p = 0; p < pages.count; p++) {
      const items = changetype<Page>(pages.at(p) as usize).items;
      for (let t = 0; t < items.count; t++) {
        if (changetype<Item>(items.at(t) as usize).chosen) chosen.push(items.at(t));
      }
    }
  }
  return chosen;
}

/**
 * The best of some tools.
 * @param tools elements are Item; there is room for the `searchSize` of so many
 * @param most how many are wanted
 */
export function search(tools: List, query: Span, most: u32, arena: Arena): Found {
  const found = make<Found>(arena);
  found.hits = newList(arena);
  const run = make<Search>(scratch);
  run.text = make<Words>(scratch);
  run.members = make<Walk>(scratch);
  run.inner = make<Walk>(scratch);
  run.properties = make<Walk>(scratch);
  run.take(query);
  run.size = 4 + (run.count as usize);
  run.documents = scratch.zeroed((tools.count as usize) * run.size);
  const exact = readAll(run, tools, query);
  let length: u64 = 0;
  for (let i = 0; i < tools.count; i++) length += load<u32>(run.documents + (i as usize) * run.size) as u64;
  const average = max((length as f32) / (max(tools.count, 1) as f32), 1);
  const weights = scratch.allocate((MOST_WORDS as usize) << 2);
  for (let word: u32 = 0; word < run.count; word++) {
    store<f32>(weights + ((word as usize) << 2), run.weightOf(word, tools.count as u32));
  }
  for (let i = 0; i < tools.count; i++) {
    const score = i === exact ? f32.MAX_VALUE : run.score(run.documents + (i as usize) * run.size, weights, average);
    if (score > 0) offer(found, itemAt(tools, i), score, most, arena);
  }
  return found;
}

/** The number of the tool whose name the query is, or -1. */
function readAll(run: Search, tools: List, query: Span): i32 {
  let exact = -1;
  for (let i = 0; i < tools.count; i++) {
    run.read(itemAt(tools, i), run.documents + (i as usize) * run.size);
    if (run.name !== NONE && equals(run.name, query)) exact = i;
    work.reset();
  }
  return exact;
}

function itemAt(tools: List, index: i32): Item {
  return changetype<Item>(tools.at(index) as usize);
}

/** Keeps the best, in order. */
function offer(found: Found, item: Item, score: f32, most: u32, arena: Arena): void {
  found.total++;
  const hits = found.hits;
  if ((hits.count as u32) < most) hits.push(changetype<usize>(make<Hit>(arena)) as u64);
  else if (hitAt(hits, hits.count - 1).score >= score) return;
  const last = hitAt(hits, hits.count - 1);
  let at = hits.count - 1;
  for (; at > 0 && hitAt(hits, at - 1).score < score; at--) hits.set(at, hits.at(at - 1));
  hits.set(at, changetype<usize>(last) as u64);
  last.item = item;
  last.score = score;
}

export function hitAt(hits: List, index: i32): Hit {
  return changetype<Hit>(hits.at(index) as usize);
}
