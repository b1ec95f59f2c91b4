export type { Command, Option } from 'commander';
export { EXIT, EXIT_MEANINGS, type ExitName } from './exit-codes.ts';
export { ERROR_OUTPUT, OUTPUTS, type OutputName } from './outputs.ts';
export { buildProgram } from './program.ts';
