/** What plans, releases and messages say they are; a page that only ranks reads no more of a plan than this. */
export const protocolVersion = 1;
