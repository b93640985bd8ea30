/** The connection that the address names. */
import { useParams } from '@tanstack/react-router';
import type { UseQueryResult } from '@tanstack/react-query';
import { useRead, type Answer } from '../../api.ts';
import { useMay, useSession } from '../../session.ts';

export type ConnectionInfo = Answer<'connections.info'>['connection'];

/** What pages show of a connection, and is asked anew after a change of it. */
export const CONNECTION_FAMILIES = ['connections', 'credentials', 'projects', 'runs'];

/** The id in the address; 0, which no connection has, when there is none. */
export function useConnectionId(): number {
  const { id } = useParams({ strict: false });
  return id !== undefined && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0;
}

export function useConnection(id: number): UseQueryResult<Answer<'connections.info'>> {
  return useRead('connections.info', { id }, { refresh: 10_000, enabled: id > 0 });
}

/** May whoever looks change connections? As long as that is not known nothing is hidden: the API decides anyway. */
export function useMayChange(): boolean {
  const known = useSession().data !== undefined;
  const may = useMay('connections:write');
  return may || !known;
}
