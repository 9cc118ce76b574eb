import type { LockedTool, ToolsLock } from '../../common/tools-lock.ts';

/** What has become of one tool since it was pinned. */
export type ToolChange =
  | { readonly change: 'added' | 'removed'; readonly tool: string }
  | { readonly change: 'changed'; readonly tool: string; readonly members: readonly MemberChange[] };

export interface MemberChange {
  /** Where it stands in the definition: `inputSchema.properties.city`. */
  readonly member: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** As JSON, cut; absent where there is none. */
  readonly before?: string;
  readonly after?: string;
}

/** Members of one tool that are told. */
const mostMembers = 20;
const mostDepth = 16;
/** Characters of a value. */
const mostValue = 200;

/** Every tool that is not as it was pinned, by name. */
export function differences(before: ToolsLock, after: ToolsLock): ToolChange[] {
  const names = [...new Set([...Object.keys(before.tools), ...Object.keys(after.tools)])].sort();
  return names.flatMap((tool): ToolChange[] => {
    const [old, now] = [own(before.tools, tool), own(after.tools, tool)];
    if (old === undefined) return now === undefined ? [] : [{ change: 'added', tool }];
    if (now === undefined) return [{ change: 'removed', tool }];
    if (old.digest === now.digest) return [];
    return [{ change: 'changed', tool, members: membersOf(old.definition, now.definition) }];
  });
}

function own(tools: ToolsLock['tools'], name: string): LockedTool | undefined {
  return Object.hasOwn(tools, name) ? tools[name] : undefined;
}

function membersOf(before: unknown, after: unknown): MemberChange[] {
  const found: MemberChange[] = [];
  compare(before, after, '', 0, found);
  return found.slice(0, mostMembers);
}

function compare(before: unknown, after: unknown, place: string, depth: number, found: MemberChange[]): void {
  if (found.length >= mostMembers) return;
  if (depth < mostDepth && isObject(before) && isObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const member = place === '' ? name : `${place}.${name}`;
      const [old, now] = [ownValue(before, name), ownValue(after, name)];
      if (old === undefined) found.push({ member, change: 'added', after: shown(now) });
      else if (now === undefined) found.push({ member, change: 'removed', before: shown(old) });
      else compare(old, now, member, depth + 1, found);
    }
    return;
  }
  const [old, now] = [JSON.stringify(before), JSON.stringify(after)];
  if (old !== now) found.push({ member: place, change: 'changed', before: shown(before), after: shown(after) });
}

function ownValue(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > mostValue ? `${text.slice(0, mostValue)}…` : text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
