import type { CaseName } from '../options.ts';
import { applyCase } from './apply.ts';
import type { Case } from './case.ts';
import { changesCase } from './changes.ts';
import { pluginsCase } from './plugins.ts';
import { proxyCase } from './proxy.ts';
import { routesCase } from './routes.ts';
import { scrapeCase } from './scrape.ts';

export const cases: Readonly<Record<CaseName, Case>> = {
  proxy: proxyCase,
  routes: routesCase,
  apply: applyCase,
  changes: changesCase,
  plugins: pluginsCase,
  scrape: scrapeCase,
};
