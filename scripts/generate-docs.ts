/** `pnpm docs:generate`: writes the pages of docs/reference, which say what the schemas of the gateway say. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { referencePages } from './reference/pages.ts';

const root = dirname(import.meta.dirname);
for (const [path, text] of referencePages()) writeFileSync(join(root, path), text);
