import type { Answer } from './answer.ts';

/** On every answer when `deployment.admin.enable_admin_cors` is on. */
export const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': '*',
  'access-control-max-age': '3600',
};

/** What a browser asks before the request proper; it never carries a key. */
export const preflight: Answer = {
  status: 200,
  body: { text: '' },
  headers: {
    'access-control-allow-methods': 'POST, GET, PUT, OPTIONS, DELETE, PATCH',
    'access-control-allow-headers': '*',
    'content-type': 'text/plain',
  },
};
