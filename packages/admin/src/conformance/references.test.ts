import { says, stamped, testRows } from '../testing/rows.ts';

const upstream = { id: '1', nodes: {} };
const split = {
  'traffic-split': { rules: [{ weighted_upstreams: [{ weight: 1 }, { upstream_id: 1, weight: 1 }] }] },
};
const splitOff = { 'traffic-split': { ...split['traffic-split'], _meta: { disable: true } } };
const splitWithin = {
  'traffic-split': {
    rules: [{ weighted_upstreams: [{ upstream: { nodes: {}, tls: { client_cert_id: 's' } } }] }],
  },
};
const inUse = { 'upstreams/1': upstream, 'stream_routes/9': { id: '9', upstream_id: '1' } };
const gone = { deleted: '1', key: '/apisix/upstreams/1' };

testRows('naming another resource', [
  {
    claim: 'an upstream that is there',
    given: { 'upstreams/1': upstream },
    request: 'PUT /stream_routes/9',
    send: { upstream_id: 1 },
    status: 201,
    body: { key: '/apisix/stream_routes/9', value: stamped({ upstream_id: 1 }, '9') },
  },
  ...['PUT /stream_routes/9', 'POST /stream_routes', 'PUT /services/9', 'POST /services'].map((request) => ({
    claim: 'an upstream that is not there',
    request,
    send: { upstream_id: '1' },
    status: 400,
    body: says('failed to fetch upstream info by upstream id [1], response code: 404'),
  })),
  {
    claim: 'a patch that names an upstream that is not there',
    given: { 'services/9': { id: '9' } },
    request: 'PATCH /services/9',
    send: { upstream_id: 'x' },
    status: 400,
    body: says('failed to fetch upstream info by upstream id [x], response code: 404'),
  },
  {
    claim: 'a service that is not there',
    request: 'PUT /stream_routes/9',
    send: { service_id: 'x' },
    status: 400,
    body: says('failed to fetch service info by service id [x], response code: 404'),
  },
  {
    claim: 'the upstream is looked for before the service',
    request: 'PUT /stream_routes/9',
    send: { service_id: 'x', upstream_id: 'y' },
    status: 400,
    body: says('failed to fetch upstream info by upstream id [y], response code: 404'),
  },
  ...['PUT /stream_routes/9', 'PUT /services/9'].map((request) => ({
    claim: 'an upstream of a traffic-split rule that is not there',
    request,
    send: { plugins: split },
    status: 400,
    body: says('failed to fetch upstream info by upstream id [1], response code: 404'),
  })),
  {
    claim: 'an upstream of a traffic-split rule that is there',
    given: { 'upstreams/1': upstream },
    request: 'PUT /stream_routes/9',
    send: { plugins: split },
    status: 201,
    body: { key: '/apisix/stream_routes/9', value: stamped({ plugins: split }, '9') },
  },
  {
    claim: 'a certificate of an upstream within a traffic-split rule that is not there',
    request: 'PUT /stream_routes/9',
    send: { plugins: splitWithin },
    status: 400,
    body: says('failed to fetch ssl info by ssl id [s], response code: 404'),
  },
  {
    claim: 'upstreams in a plugin that is switched off are not looked for',
    request: 'PUT /stream_routes/9',
    send: { plugins: splitOff },
    status: 201,
    body: { key: '/apisix/stream_routes/9', value: stamped({ plugins: splitOff }, '9') },
  },
]);

testRows('deleting what is used', [
  {
    claim: 'an upstream of a stream route',
    given: inUse,
    request: 'DELETE /upstreams/1',
    status: 400,
    body: says('can not delete this upstream, stream_route [9] is still using it now'),
    stored: { 'upstreams/1': upstream },
  },
  {
    claim: 'an upstream of a service, by a number',
    given: { 'upstreams/1': upstream, 'services/s': { id: 's', upstream_id: 1 } },
    request: 'DELETE /upstreams/1',
    status: 400,
    body: says('can not delete this upstream, service [s] is still using it now'),
  },
  {
    claim: 'an upstream of a traffic-split rule of a service',
    given: { 'upstreams/1': upstream, 'services/s': { id: 's', plugins: split } },
    request: 'DELETE /upstreams/1',
    status: 400,
    body: says('can not delete this upstream, plugin in service [s] is still using it now'),
  },
  {
    claim: 'an upstream of a traffic-split rule of a stream route',
    given: { 'upstreams/1': upstream, 'stream_routes/9': { id: '9', plugins: split } },
    request: 'DELETE /upstreams/1',
    status: 400,
    body: says('can not delete this upstream, plugin in stream_route [9] is still using it now'),
  },
  {
    claim: 'a certificate of an upstream within a traffic-split rule',
    given: { 'ssls/s': {}, 'services/1': { id: '1', plugins: splitWithin } },
    request: 'DELETE /ssls/s',
    status: 400,
    body: says('can not delete this ssl, plugin in service [1] is still using it now'),
  },
  {
    claim: 'a service of a stream route',
    given: { 'services/1': { id: '1' }, 'stream_routes/9': { id: '9', service_id: '1' } },
    request: 'DELETE /services/1',
    status: 400,
    body: says('can not delete this service directly, stream_route [9] is still using it now'),
  },
  {
    claim: 'an upstream that is not there, but is named',
    given: { 'stream_routes/9': { id: '9', upstream_id: '1' } },
    request: 'DELETE /upstreams/1',
    status: 400,
    body: says('can not delete this upstream, stream_route [9] is still using it now'),
  },
  {
    claim: 'force=true deletes it',
    given: inUse,
    request: 'DELETE /upstreams/1?force=true',
    status: 200,
    body: gone,
  },
  ...['force=anyvalue', 'force=TRUE', 'force=1', 'force'].map((query) => ({
    claim: 'no other value of force does',
    given: inUse,
    request: `DELETE /upstreams/1?${query}`,
    status: 400,
    body: says('can not delete this upstream, stream_route [9] is still using it now'),
  })),
  {
    claim: 'what names others may go',
    given: inUse,
    request: 'DELETE /stream_routes/9',
    status: 200,
    body: { deleted: '1', key: '/apisix/stream_routes/9' },
  },
  {
    claim: 'what only something else of the same id uses may go',
    given: {
      'upstreams/1': upstream,
      'stream_routes/9': { id: '9', service_id: '1' },
      'services/1': { id: '1' },
    },
    request: 'DELETE /upstreams/1',
    status: 200,
    body: gone,
  },
]);
