import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  LAYER_EVENTS,
  type LayerEventName,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
  STATES_WORST_FIRST,
} from '@orchestrate/canon';
import {
  LAYER_MACHINES,
  type LayerCell,
  type Outcome,
  OWN_STATES,
  outcomesOf,
  STATE_TABLE,
} from '@orchestrate/layer-machines';
import { cell, code, list, MADE, table } from './markdown.ts';

type State = ManagedExecutionState;
interface Edge {
  readonly from: State;
  readonly to: State;
  readonly event: LayerEventName;
}

const isMilder = (state: State, than: State): boolean =>
  STATES_WORST_FIRST.indexOf(state) > STATES_WORST_FIRST.indexOf(than);

/** The states that a passing answer can end. */
const ANSWERED = MANAGED_EXECUTION_STATES.filter((state) =>
  outcomesOf(STATE_TABLE[state].check_passed).includes('ready'),
);

/** Arrows that leave many states alike are drawn once, from a node that stands for all of them. */
const CROWDS = [
  { node: 'milder', name: 'any milder state', holds: isMilder },
  {
    node: 'answered',
    name: 'any state that an answer can end',
    holds: (state: State, target: State) => state !== target && ANSWERED.includes(state),
  },
] as const;
const SHARED_MIN = 3;

export function machinesPage(): string {
  const parts = [
    `# Machines\n\n${MADE}\n\nEach source of each layer has a machine of its own. An event changes what the machine remembers, key by key (facts, holds, faults, cooldowns, requalifications, graces, closings, a set-up, a run, a recheck), and the worst state that has a cause there shows. Worst first: ${list(STATES_WORST_FIRST)}.`,
    `## What an event does\n\nWhat shows afterwards when the cause of the state is the only one; with other causes the worst of all shows. \`=\` the event is heard and the state stays, \`·\` it is ignored. Of several the context decides: an event may speak of one of two facts that fail, or of a cause that does not stand. In italics: only inside a grace, or because a sample is too small. An answer older than the one in hand changes nothing anywhere.\n\n${commonTables()}`,
    `## Which layer can be where\n\nEvery layer can be ${list(MANAGED_EXECUTION_STATES.filter((state) => !isOwn(state)))}. An event that could only lead where its layer can never be, or nowhere, is refused and stands in the stream of rejected messages.\n\n${layerMatrix()}`,
    `## Nine layers, drawn\n\nEvents that leave a state as it is are left out. Arrows that are the same from many states are drawn once: *any milder state* is each state that stands before the end of the arrow in ${list(STATES_WORST_FIRST.toReversed())}; *any state that an answer can end* is each of ${list(ANSWERED)} but the end itself. Not drawn either, because several states have it in common:\n\n${toldSentences()}`,
    ...CANONICAL_BLOCKER_LAYERS.map(layerPart),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Thirteen columns are more than a page is wide. */
function commonTables(): string {
  const parts = [
    MANAGED_EXECUTION_STATES.slice(0, 5),
    MANAGED_EXECUTION_STATES.slice(5, 9),
    MANAGED_EXECUTION_STATES.slice(9),
  ];
  return parts
    .map((states) =>
      table(
        ['event', ...states.map(code)],
        LAYER_EVENTS.map((event) => [code(event), ...states.map((state) => said(STATE_TABLE[state][event]))]),
      ),
    )
    .join('\n\n');
}

function said(one: LayerCell): string {
  if (typeof one === 'string') return '·';
  const word = (outcome: Outcome) => (outcome === 'stays' ? '=' : outcome);
  const plain = new Set<Outcome>(one.shows);
  const only = outcomesOf(one).filter((outcome) => !plain.has(outcome));
  return [...[...plain].map(word), ...only.map((outcome) => `*${word(outcome)}*`)].join('<br>');
}

const isOwn = (state: State): boolean => OWN_STATES.some((own) => own === state);

function layerMatrix(): string {
  return table(
    ['layer', ...OWN_STATES.map(code)],
    CANONICAL_BLOCKER_LAYERS.map((layer) => [
      `[\`${layer}\`](#${layer})`,
      ...OWN_STATES.map((state) => cell(LAYER_MACHINES[layer].causes[state] ?? '')),
    ]),
  );
}

function layerPart(layer: CanonicalBlockerLayer): string {
  const { takes } = LAYER_MACHINES[layer];
  const refused = LAYER_EVENTS.filter((event) => !takes.has(event));
  return `### ${layer}\n\nRefuses ${refused.length === 0 ? 'nothing' : list(refused)}.\n\n${diagram(layer)}`;
}

/** One arrow for each pair of states, with the events that lead along it. */
function diagram(layer: CanonicalBlockerLayer): string {
  const { drawn, alone } = drawnOnce(edgesOf(LAYER_MACHINES[layer].table));
  const told = toldOnce();
  const arrows = new Map<string, Set<LayerEventName>>();
  const draw = (from: string, { to, event }: Edge) => {
    const arrow = `${from} --> ${to}`;
    arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(event));
  };
  for (const { node, edge } of drawn) draw(node, edge);
  for (const edge of alone) if (!told.some((other) => isAlike(edge, other))) draw(edge.from, edge);
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...CROWDS.map(({ node, name }) => `  state "${name}" as ${node}`),
    '  [*] --> unknown',
    ...[...arrows].map(([arrow, events]) => `  ${arrow} : ${[...events].join('<br/>')}`),
    '```',
  ].join('\n');
}

/** The arrows of a whole crowd, and those that are left. */
function drawnOnce(edges: readonly Edge[]): {
  readonly drawn: readonly { readonly node: string; readonly edge: Edge }[];
  readonly alone: readonly Edge[];
} {
  const states = [...new Set(edges.map(({ from }) => from))];
  const leads = (from: State, edge: Edge) =>
    edges.some((other) => other.from === from && isAlike(other, edge));
  const drawn: { node: string; edge: Edge }[] = [];
  let alone = edges;
  for (const { node, holds } of CROWDS) {
    const shared = alone.filter(
      (edge) =>
        holds(edge.from, edge.to) &&
        states.filter((state) => holds(state, edge.to)).every((from) => leads(from, edge)),
    );
    const alike = shared.filter((edge) => isShared(edge, shared));
    drawn.push(...alike.map((edge) => ({ node, edge })));
    alone = alone.filter((edge) => !alike.includes(edge));
  }
  return { drawn, alone };
}

/** What three states of a layer or more have in common beside the crowds is told in a sentence, for all layers. */
function toldOnce(): readonly Edge[] {
  const told = CANONICAL_BLOCKER_LAYERS.flatMap((layer) => {
    const { alone } = drawnOnce(edgesOf(LAYER_MACHINES[layer].table));
    return alone.filter((edge) => isShared(edge, alone));
  });
  const isFirst = (edge: Edge) =>
    told.find((other) => isAlike(edge, other) && edge.from === other.from) === edge;
  return told.filter(isFirst);
}

const isShared = (edge: Edge, edges: readonly Edge[]): boolean =>
  edges.filter((other) => isAlike(edge, other)).length >= SHARED_MIN;

const isAlike = (one: Edge, other: Edge): boolean => one.to === other.to && one.event === other.event;

function toldSentences(): string {
  const told = toldOnce();
  const firsts = told.filter((edge) => told.find((other) => isAlike(edge, other)) === edge);
  return firsts
    .map((first) => {
      const from = told.filter((edge) => isAlike(edge, first)).map((edge) => edge.from);
      return `- ${code(first.event)} to ${code(first.to)}: from ${list(from)}`;
    })
    .join('\n');
}

/** Every way from a state to another one. */
function edgesOf(
  rows: Iterable<readonly [State, Readonly<Record<LayerEventName, LayerCell>>]>,
): readonly Edge[] {
  return [...rows].flatMap(([from, row]) =>
    LAYER_EVENTS.flatMap((event) =>
      outcomesOf(row[event]).flatMap((to): Edge[] => (to === 'stays' ? [] : [{ from, to, event }])),
    ),
  );
}
