export { asObjects, runQuery, type QueryResult } from '../warehouse/query.ts';
