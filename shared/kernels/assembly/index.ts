// Numerical kernels on memory that somebody else owns: nothing is allocated here, and nothing lies in memory by itself.
export { dots } from './dots';
export { topRows } from './top-k';
export { matMul, matMulScratchBytes } from './mat-mul';
export { segmentSum } from './segment-sum';
export { sgd, adagrad, adam } from './optimisers';
