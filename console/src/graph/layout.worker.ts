/** Where nodes go, worked out beside the page: a simulation of forces, step by step until it rests. */
import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationNodeDatum,
} from 'd3-force';

export interface Task {
  /** Positions to begin with, two numbers each; NaN where there is none yet. */
  positions: Float32Array;
  /** Pairs of indexes. */
  links: Uint32Array;
  /** Whether steps in between are wanted. */
  animate: boolean;
  /** How much wider than high the place is. */
  aspect: number;
  /** How long a relationship should be. */
  distance: number;
  /** How warm it begins, from 0 to 1: low when only a little was added. */
  heat: number;
}

export interface Step {
  positions: Float32Array;
  rests: boolean;
}

/** How long one works before telling about it, in milliseconds. */
const FRAME = 33;
/** How long a layout may take at most, in milliseconds. */
const MOST = 3500;

self.onmessage = ({ data }: MessageEvent<Task>) => {
  const count = data.positions.length / 2;
  const nodes: SimulationNodeDatum[] = Array.from({ length: count }, (_, i) => {
    const [x, y] = [data.positions[2 * i], data.positions[2 * i + 1]];
    return Number.isNaN(x) ? {} : { x: x as number, y: y as number };
  });
  const links = Array.from({ length: data.links.length / 2 }, (_, i) => ({
    source: data.links[2 * i] as number,
    target: data.links[2 * i + 1] as number,
  }));
  const simulation = forceSimulation(nodes)
    .stop()
    .alpha(data.heat)
    .alphaDecay(count > 500 ? 0.05 : 0.03)
    .force('links', forceLink(links).distance(data.distance))
    .force(
      'apart',
      forceManyBody()
        .strength(count > 500 ? -140 : -4 * data.distance)
        .theta(1)
        .distanceMax(900),
    )
    .force('bodies', count > 1000 ? null : forceCollide(36))
    .force('x', forceX(0).strength(0.05))
    .force('y', forceY(0).strength(0.05 * data.aspect ** 2));

  const begun = performance.now();
  let told = begun;
  while (simulation.alpha() > 0.008 && performance.now() - begun < MOST) {
    simulation.tick();
    if (!data.animate || performance.now() - told < FRAME) continue;
    told = performance.now();
    tell(nodes, false);
  }
  tell(nodes, true);
};

function tell(nodes: SimulationNodeDatum[], rests: boolean): void {
  const positions = new Float32Array(nodes.length * 2);
  nodes.forEach(({ x = 0, y = 0 }, i) => positions.set([x, y], 2 * i));
  const step: Step = { positions, rests };
  self.postMessage(step, { transfer: [positions.buffer] });
}
