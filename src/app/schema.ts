import { STREAMS } from '../source/sonarqube.ts';
import { tableDocs } from '../warehouse/describe.ts';

export { describeTables } from '../warehouse/describe.ts';

/** The table reference in `docs/tables.md`. */
export const docs = (): string => tableDocs(STREAMS);
