/**
 * What each of many members is doing, as a value that never changes. Who they are is fixed, and shared by all versions; their
 * states are a tree of 32 branches a node with counts kept along, so that one event of one of a million members copies four
 * short arrays. Members are listed in the order they were given, whatever happened when.
 */
import { CestaError } from '../protocol/errors.ts';

export interface MemberStates<State extends string> {
  readonly places: ReadonlyMap<string, number>;
  /** Of states that somebody has been in. */
  readonly counts: Readonly<Partial<Record<State, number>>>;
  /** Of the tree: its leaves are 0 levels above the states. */
  readonly height: number;
  readonly tree: Tree<State>;
}

/** A node has either. */
interface Tree<State> {
  readonly states: readonly State[];
  readonly branches: readonly Tree<State>[];
}

const bitsPerLevel = 5;
const width = 1 << bitsPerLevel;

/** All members in one state. */
export function everybodyIn<State extends string>(state: State, ids: readonly string[]): MemberStates<State> {
  let tree: Tree<State> = { states: new Array<State>(width).fill(state), branches: [] };
  let height = 0;
  for (let room = width; room < ids.length; room *= width) {
    tree = { states: [], branches: new Array<Tree<State>>(width).fill(tree) };
    height += 1;
  }
  const places = new Map(ids.map((id, place) => [id, place]));
  return { places, counts: { [state]: places.size } as Partial<Record<State, number>>, height, tree };
}

export function countIn<State extends string>({ counts }: MemberStates<State>, state: State): number {
  return counts[state] ?? 0;
}

/** Undefined for whoever is no member. */
export function stateOf<State extends string>({ places, height, tree }: MemberStates<State>, id: string): State | undefined {
  const place = places.get(id);
  return place === undefined ? undefined : stateAt(tree, height, place);
}

/** Members in a state, in the order of all. */
export function membersIn<State extends string>({ places, height, tree }: MemberStates<State>, state: State): string[] {
  return [...places].flatMap(([id, place]) => (stateAt(tree, height, place) === state ? [id] : []));
}

/** The same members, one of them in `state`. @throws CestaError `internal` for whoever is no member. */
export function withState<State extends string>(members: MemberStates<State>, id: string, state: State): MemberStates<State> {
  const { places, height, tree } = members;
  const place = places.get(id);
  if (place === undefined) throw new CestaError('internal', `member: expected one of ${places.size}, got ${id}`);
  const before = stateAt(tree, height, place);
  if (before === state) return members;
  const counts = { ...members.counts, [before]: countIn(members, before) - 1, [state]: countIn(members, state) + 1 };
  return { places, height, counts, tree: put(tree, height, place, state) };
}

function stateAt<State>(tree: Tree<State>, height: number, place: number): State {
  let node = tree;
  for (let level = height; level > 0; level -= 1) node = node.branches[slotAt(level, place)];
  return node.states[slotAt(0, place)];
}

function put<State>({ states, branches }: Tree<State>, level: number, place: number, state: State): Tree<State> {
  const slot = slotAt(level, place);
  if (level === 0) return { states: states.with(slot, state), branches };
  return { states, branches: branches.with(slot, put(branches[slot], level - 1, place, state)) };
}

function slotAt(level: number, place: number): number {
  return (place >>> (bitsPerLevel * level)) & (width - 1);
}
