import { defineStream, reference, required, timestamp } from '../../protocol/stream.ts';

/** One analysis of a project, known by its date alone: `measures/search_history` counts analyses, and names no key. */
export interface Analysis {
  readonly project: string;
  readonly date: string;
}

export const analyses = defineStream<Analysis>({
  name: 'analyses',
  table: 'sonarqube_analyses',
  description: "Every analysis of every project's main branch that the server still had when it was read.",
  endpoint: 'measures/search_history',
  key: ['project_id', 'date'],
  columns: {
    project_id: reference('projects', 'The project that was analysed.', (a) => a.project),
    date: required(timestamp('Date of the analysis.', (a) => a.date)),
  },
});
