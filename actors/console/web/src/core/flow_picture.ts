// Where the stages of a session's pipeline stand in its picture, and which of them holds the others up. Pure.
import type { Stage } from './types.ts';

/** flowing; waiting: for another stage; stalled: the stage at which a chain of waiting ends. */
export type Condition = 'flowing' | 'idle' | 'waiting' | 'stalled';

/** A stage named in `waits_for` by its role or its path. */
function named(stages: Stage[], name: string): Stage | undefined {
  return stages.find((stage) => stage.path === name || stage.role === name);
}

/** The stage at the end of the chain of waiting that begins at `stage`; itself if a chain runs in a circle. */
function waitedFor(stages: Stage[], stage: Stage): Stage {
  const seen = new Set<Stage>();
  for (let at = stage; ;) {
    const next = at.waits_for === undefined ? undefined : named(stages, at.waits_for);
    if (!next || seen.has(at)) return at;
    seen.add(at);
    at = next;
  }
}

export function conditions(stages: Stage[]): Map<string, Condition> {
  const found = new Map<string, Condition>();
  for (const stage of stages)
    found.set(stage.path, stage.waits_for !== undefined ? 'waiting' : stage.rate_bytes_s > 0 ? 'flowing' : 'idle');
  for (const stage of stages) if (stage.waits_for !== undefined) found.set(waitedFor(stages, stage).path, 'stalled');
  return found;
}

export interface Box {
  stage: Stage;
  x: number;
  y: number;
  condition: Condition;
}
export interface Arrow {
  from: Box;
  to: Box;
  flows: boolean;
  waits: boolean;
}
export interface Picture {
  width: number;
  height: number;
  across: boolean;
  boxes: Box[];
  arrows: Arrow[];
}

export const boxWidth = 152;
export const boxHeight = 118;
const gapAcross = 28;
const gapDown = 26;

/** Stages from left to right where they fit into `width` (pixels), else in rows. */
export function layOut(stages: Stage[], width: number): Picture {
  const condition = conditions(stages);
  const fit = Math.floor((width + gapAcross) / (boxWidth + gapAcross));
  const columns = Math.max(1, Math.min(stages.length, fit));
  // Fewer columns, but rows of equal length: 6 stages in 4 columns read better as 3 and 3.
  const perRow = Math.ceil(stages.length / Math.ceil(stages.length / columns));
  const boxes = stages.map((stage, i) => ({
    stage,
    condition: condition.get(stage.path)!,
    x: (i % perRow) * (boxWidth + gapAcross),
    y: Math.floor(i / perRow) * (boxHeight + gapDown),
  }));
  const arrows = boxes.slice(1).map((to, i) => {
    const from = boxes[i]!;
    return { from, to, flows: from.stage.rate_bytes_s > 0, waits: from.condition === 'waiting' };
  });
  const rows = Math.ceil(stages.length / perRow);
  return {
    width: perRow * boxWidth + (perRow - 1) * gapAcross,
    height: rows * boxHeight + (rows - 1) * gapDown,
    across: rows === 1,
    boxes,
    arrows,
  };
}
