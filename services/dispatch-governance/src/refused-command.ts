/** A command or report that fits its contract and nothing that is there. */
export class RefusedCommand extends Error {}
