/** Names and numbers that the page and its worker must agree on, apart from the code that uses them. */

/** The database of this origin's device as a participant. One device has one budget, whatever the number of tabs and tasks. */
export const deviceDatabase = 'cesta-device';

/** The database of this origin's shopper: deleted as a whole. */
export const shopperDatabase = 'cesta-shopper';

/** The database of what this device reported to experiments; what was spent outlives what is forgotten. */
export const measureDatabase = 'cesta-measure';
export const measureRecord = 'measure';

/** At this delta a device states its epsilon unless told otherwise. */
export const usualMaxDelta = 1e-4;
