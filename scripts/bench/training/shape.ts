/** The shapes of the training step that is measured: windows of a batch, positions, numbers in a row, blocks of SASRec. */
export const stepShape = { batch: 128, positions: 50, width: 64, blocks: 2, negatives: 512, items: 3_600 } as const;
