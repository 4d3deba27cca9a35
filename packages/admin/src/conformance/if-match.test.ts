import { says, stamped, testRows } from '../testing/rows.ts';
import type { Row } from '../testing/rows.ts';

const key = '/apisix/services/1';
const given = { 'services/1': { id: '1', desc: 'old', create_time: 1000 } };
const mismatch = says('the resource is not the one that If-Match names');
const kept = given;

testRows('If-Match', [
  {
    claim: 'the version of a resource is in its ETag',
    given,
    request: 'GET /services/1',
    status: 200,
    body: { key, value: given['services/1'], createdIndex: 2, modifiedIndex: 2 },
    answerHeaders: { etag: '"2"' },
  },
  ...['"2"', '*', '"1", "2"'].flatMap((etag): Row[] => [
    {
      claim: `${etag} is the version there is`,
      given,
      request: 'PUT /services/1',
      send: { desc: 'new' },
      headers: { 'if-match': etag },
      status: 200,
      body: { key, value: stamped({ desc: 'new' }, '1', 1000) },
      stored: { 'services/1': stamped({ desc: 'new' }, '1', 1000) },
    },
    {
      claim: `${etag} is the version there is`,
      given,
      request: 'PATCH /services/1',
      send: { desc: 'new' },
      headers: { 'if-match': etag },
      status: 200,
      body: { key, value: stamped({ desc: 'new' }, '1', 1000) },
    },
    {
      claim: `${etag} is the version there is`,
      given,
      request: 'DELETE /services/1',
      headers: { 'if-match': etag },
      status: 200,
      body: { deleted: '1', key },
      stored: { 'services/1': undefined },
    },
  ]),
  ...['"1"', '2', 'W/"2"', ''].flatMap((etag) =>
    ['PUT /services/1', 'PATCH /services/1', 'DELETE /services/1', 'DELETE /services/1?force=true'].map(
      (request): Row => ({
        claim: `${JSON.stringify(etag)} is another version`,
        given,
        request,
        ...(request.startsWith('DELETE') ? {} : { send: { desc: 'new' } }),
        headers: { 'if-match': etag },
        status: 412,
        body: mismatch,
        stored: kept,
      }),
    ),
  ),
  {
    claim: 'there is none to replace',
    request: 'PUT /services/1',
    send: {},
    headers: { 'if-match': '*' },
    status: 412,
    body: mismatch,
    stored: { 'services/1': undefined },
  },
  ...['PATCH', 'DELETE'].map((method): Row => ({
    claim: 'there is none',
    request: `${method} /services/1`,
    ...(method === 'PATCH' ? { send: {} } : {}),
    headers: { 'if-match': '*' },
    status: 404,
    body: { message: 'Key not found' },
  })),
]);
