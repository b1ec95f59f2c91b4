import { fileURLToPath } from 'node:url';

/** The checkout that this command line belongs to. */
export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
