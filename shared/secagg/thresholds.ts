/**
 * How many shares give a secret back. Complete graph: Bonawitz et al. 2017, against a coordinator that lies: two
 * survivor sets of t signatures each would need 2t > n + n/3 participants. Harary graph: the parameter search of
 * Google's federated-compute (`graph_parameter_finder.cc`) after Bell et al. 2020.
 */
import { logBinomial, logGamma } from '../numerics/special.ts';
import { CestaError } from '../protocol/errors.ts';
import { invalid } from './bytes.ts';

/** Withstands fewer than a third of corrupt participants, and n - t dropouts. */
export function completeThreshold(participants: number): number {
  return Math.floor((2 * participants) / 3) + 1;
}

export interface GraphSearch {
  readonly participants: number;
  readonly corruptFraction: number;
  readonly dropoutFraction: number;
  /** `lying`: the coordinator may tell different neighbours different survivor sets. */
  readonly coordinator: 'curious' | 'lying';
  /** The graph is insecure with a chance of at most 2^-securityBits. */
  readonly securityBits: number;
  /** A round within its dropouts fails with a chance of at most 2^-successBits. */
  readonly successBits?: number;
}

export interface GraphParameters {
  /** Neighbours of everyone: even. */
  readonly degree: number;
  readonly threshold: number;
}

/**
 * The smallest even degree, and its threshold, such that the honest survivors stay connected, nobody has too many
 * corrupt neighbours, and everybody keeps enough live ones, each with the wanted probability.
 * @throws CestaError `secagg.too-few` where no degree below the number of participants does.
 */
export function hararyParameters(search: GraphSearch): GraphParameters {
  const { participants, corruptFraction, dropoutFraction, coordinator } = search;
  if (!Number.isInteger(participants) || participants < 3) throw invalid('participants', 'an integer of at least 3', participants);
  const load = coordinator === 'lying' ? corruptFraction + 2 * dropoutFraction : corruptFraction + dropoutFraction;
  if (!(load <= 0.9)) throw invalid('corruptFraction and dropoutFraction', `a load of at most 0.9 with a ${coordinator} coordinator`, load);
  for (let degree = 2; degree < participants; degree += 2) {
    const threshold = thresholdAt(degree, search);
    if (threshold !== null) return { degree, threshold };
  }
  throw new CestaError('secagg.too-few', `participants: expected enough for a graph of ${search.securityBits} bits, got ${participants}; use the complete graph`);
}

function thresholdAt(degree: number, search: GraphSearch): number | null {
  const { participants: n, coordinator, securityBits, successBits = 20 } = search;
  const corrupt = Math.floor(search.corruptFraction * n);
  const dropouts = Math.floor(search.dropoutFraction * n);
  if (!staysConnected(n, degree, corrupt + dropouts, securityBits)) return null;
  const corruptNeighbours = upperQuantile(n, corrupt, degree, 2 ** -(securityBits + 1) / n);
  const liveNeighbours = lowerQuantile(n, n - dropouts, degree, 2 ** -successBits / n);
  // A lying coordinator splits the honest neighbours in two: 2t must exceed degree + corruptNeighbours.
  const needed = coordinator === 'curious' ? corruptNeighbours + 1 : Math.ceil((corruptNeighbours + degree - 1.25) / 2) + 1;
  const threshold = Math.max(needed, 2);
  return threshold <= liveNeighbours ? threshold : null;
}

function staysConnected(n: number, degree: number, missing: number, securityBits: number): boolean {
  if (degree > missing) return true;
  const logChance = Math.log(n) + Math.log(n - degree - 1) - Math.LN2 + logGamma(missing + 1) + logGamma(n - degree + 1) - logGamma(n + 1) - logGamma(missing - degree + 1);
  return logChance < -(securityBits + 1) * Math.LN2;
}

/** ln P[X = x] for draws without replacement: `draws` of a population in which `marked` are marked. */
function logHypergeometric(population: number, marked: number, draws: number, x: number): number {
  return logBinomial(marked, x) + logBinomial(population - marked, draws - x) - logBinomial(population, draws);
}

/** The smallest x with P[X > x] <= chance. Each probability follows from its neighbour's: in logarithms, since the first ones are 0 in numbers. */
function upperQuantile(population: number, marked: number, draws: number, chance: number): number {
  const most = Math.min(draws, marked);
  let log = logHypergeometric(population, marked, draws, most);
  let tail = 0;
  for (let x = most; x > 0; x -= 1) {
    tail += Math.exp(log);
    if (tail > chance) return x;
    log += Math.log((x * (population - marked - draws + x)) / ((marked - x + 1) * (draws - x + 1)));
  }
  return 0;
}

/** The largest x with P[X < x] <= chance. */
function lowerQuantile(population: number, marked: number, draws: number, chance: number): number {
  const least = Math.max(0, draws - (population - marked));
  let log = logHypergeometric(population, marked, draws, least);
  let tail = 0;
  for (let x = least; x < draws; x += 1) {
    tail += Math.exp(log);
    if (tail > chance) return x;
    log += Math.log(((marked - x) * (draws - x)) / ((x + 1) * (population - marked - draws + x + 1)));
  }
  return draws;
}
