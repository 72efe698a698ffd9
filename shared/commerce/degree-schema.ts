/** A degree from outside. Apart from what degrees are: a page that only has one needs no schema library. */
import * as z from 'zod/mini';

export const degreeSchema = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
