export { SAMPLE_TOKEN, startSampleServer } from '../sample/server.ts';
