/**
 * Slices that may overlap, laid out on lanes on which they nest: on each, whatever begins inside
 * another slice also ends inside it. Viewers draw nothing else on one track.
 */
import type { Slice } from './slices.ts';

/**
 * As few lanes as it takes when each slice goes to the first that has room for it. On a lane slices
 * come in the order in which they begin, outer ones before inner ones.
 */
export function lanesOf<S extends Slice>(slices: readonly S[]): S[][] {
  const lanes: { slices: S[]; open: number[] }[] = [];
  // Of two that are equal the one that was listed last is the outer one.
  const inOrder = slices.toReversed();
  inOrder.sort((a, b) => a.beganNs - b.beganNs || b.endedNs - a.endedNs);
  for (const slice of inOrder) {
    let lane = lanes.find(({ open }) => hasRoom(open, slice));
    if (lane === undefined) {
      lane = { slices: [], open: [] };
      lanes.push(lane);
    }
    lane.slices.push(slice);
    lane.open.push(slice.endedNs);
  }
  return lanes.map(({ slices: laid }) => laid);
}

/** `open`: the ends of the slices that the lane is in, outermost first; what is over goes. */
function hasRoom(open: number[], { beganNs, endedNs }: Slice): boolean {
  while (open.length > 0 && open.at(-1)! <= beganNs) open.pop();
  return open.length === 0 || open.at(-1)! >= endedNs;
}
