import { z } from 'zod'; console.log(process.argv.slice(2), typeof z.object)
