import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { NameTable, newNameTable } from '../bytes/names';
import { Span } from '../bytes/span';

/**
 * Where the pointers of all rules lead, as a tree of the names on their way, so that one walk through the arguments of a
 * call finds all values. Each place has a number from 1.
 */
@unmanaged
export class ArgumentNode {
  number: u32;
  /** The name that leads here. */
  name: Span;
  /** The same as the index of an element of a list, or -1. */
  index: i32;
  /** Places below it: elements are ArgumentNode; and by the form that lax readers may take their names for. */
  children: List;
  childrenByFoldedName: NameTable;
  /** The largest index that leads on from here, or -1. */
  largestIndex: i32;

  childAt(position: i32): ArgumentNode {
    return changetype<ArgumentNode>(this.children.at(position) as usize);
  }

  /** @param folded see json/folded.ts */
  childLike(folded: Span): ArgumentNode | null {
    return changetype<ArgumentNode | null>(this.childrenByFoldedName.get(folded));
  }
}

@unmanaged
export class ArgumentTree {
  arena: Arena;
  root: ArgumentNode;
  /** How many places there are beside the root. */
  count: u32;

  /** The place below another that a name leads to; there is none like it yet. @param folded the name, see json/folded.ts */
  add(parent: ArgumentNode, name: Span, folded: Span, index: i32): ArgumentNode {
    const node = newNode(this.arena);
    node.number = ++this.count;
    node.name = name;
    node.index = index;
    parent.children.push(changetype<usize>(node) as u64);
    parent.childrenByFoldedName.put(folded, changetype<usize>(node));
    parent.largestIndex = max(parent.largestIndex, index);
    return node;
  }
}

function newNode(arena: Arena): ArgumentNode {
  const node = make<ArgumentNode>(arena);
  node.index = -1;
  node.largestIndex = -1;
  node.children = newList(arena);
  node.childrenByFoldedName = newNameTable(arena);
  return node;
}

export function newArgumentTree(arena: Arena): ArgumentTree {
  const tree = make<ArgumentTree>(arena);
  tree.arena = arena;
  tree.root = newNode(arena);
  return tree;
}
