/** Follows the archetypes and writes what became of them into their page and its picture: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ARCHETYPES } from '../test/archetypes/archetypes.ts';
import { PAGE, PICTURE, pictureOf, tableOf } from '../test/archetypes/picture.ts';
import { simulate } from '../test/archetypes/simulation.ts';
import { between } from './reference/between.ts';

const root = resolve(import.meta.dirname, '..');
const page = join(root, PAGE);
const stories = ARCHETYPES.map((archetype) => simulate(archetype));
writeFileSync(join(root, PICTURE), pictureOf(stories));
writeFileSync(page, between(readFileSync(page, 'utf8'), 'archetypes', tableOf(stories), page));
