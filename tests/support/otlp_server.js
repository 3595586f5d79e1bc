// Starts @elastic/mockotlpserver on a free port. Prints its address, then each request that it receives, as a line.
const {MockOtlpServer, normalizeMetrics, normalizeTrace} = require(process.argv[2]);

const say = (kind, value) => console.log(JSON.stringify({kind, value}));
const server = new MockOtlpServer({
    logLevel: 'error',
    services: ['http'],
    httpHostname: '127.0.0.1',
    httpPort: 0,
    onTrace: (trace) => say('traces', normalizeTrace(trace)),
    onMetrics: (metrics) => say('metrics', normalizeMetrics(metrics)),
});
process.stdin.on('end', () => process.exit()).resume();
server.start().then(() => say('url', server.httpUrl.toString()));
