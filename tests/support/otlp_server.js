// Starts @elastic/mockotlpserver on a port of its own; prints its address, and then what it receives, a line each.
const {MockOtlpServer, normalizeMetrics, normalizeTrace} = require(process.argv[2]);

const say = (kind, found) => console.log(JSON.stringify({kind, found}));
const server = new MockOtlpServer({
    logLevel: 'error',
    services: ['http'],
    httpHostname: '127.0.0.1',
    httpPort: 0,
    onTrace: (found) => say('traces', normalizeTrace(found)),
    onMetrics: (found) => say('metrics', normalizeMetrics(found)),
});
process.stdin.on('end', () => process.exit()).resume();
server.start().then(() => say('url', server.httpUrl.toString()));
