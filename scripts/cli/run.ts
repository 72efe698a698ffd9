/** The command as this process was called. */
import { main } from './main.ts';

await main(process.argv);
