import type { NodeHealthFacts, UpstreamHealthFacts } from './gateway-facts.ts';

/** Rows that a browser shows without trouble; JSON has them all. */
const MOST_ROWS = 10_000;

const columns = [
  'Index',
  'Upstream',
  'Check type',
  'Host',
  'Status',
  'Success counts',
  'TCP Failures',
  'HTTP Failures',
  'TIMEOUT Failures',
] as const;

/** The nodes under checks as a table with the reference's columns, those that get no sessions in red. */
export function healthPage(upstreams: readonly UpstreamHealthFacts[]): string {
  const nodes = upstreams.flatMap((upstream) => upstream.nodes.map((node) => ({ upstream, node })));
  const rows = nodes.slice(0, MOST_ROWS).map(({ upstream, node }, index) => row(index + 1, upstream, node));
  const left = nodes.length - rows.length;
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>APISIX upstream check status</title></head>
<body>
<h1>APISIX upstream check status</h1>
<table style="background-color:white" cellspacing="0" cellpadding="3" border="1">
<tr style="background-color:#C0C0C0">${columns.map((title) => `<th>${title}</th>`).join('')}</tr>
${rows.join('\n')}
</table>
${left === 0 ? '' : `<p>${left} more nodes: ask for JSON.</p>\n`}</body>
</html>
`;
}

function row(
  index: number,
  { name, type }: UpstreamHealthFacts,
  { ip, port, status, counter }: NodeHealthFacts,
): string {
  const isGood = status === 'healthy' || status === 'mostly_healthy';
  const { success, tcp_failure, http_failure, timeout_failure } = counter;
  const cells = [
    index,
    name,
    type,
    `${ip}:${port}`,
    status,
    success,
    tcp_failure,
    http_failure,
    timeout_failure,
  ];
  const style = isGood ? '' : ' style="background-color:#FF0000"';
  return `<tr${style}>${cells.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`;
}

/** Ids and addresses are checked when they are written, but not against HTML. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
