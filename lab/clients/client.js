// A client by Node's tls (its own OpenSSL): client.js BEHAVIOUR HOST VERSION CA [PROXYHOST PROXYPORT]
//
// request   verifies, asks, reads the answer
// pin       its checkServerIdentity fails, as one that compares keys does
'use strict';
const fs = require('fs'), http = require('http'), net = require('net'), tls = require('tls');
const [behaviour, host, version, ca, proxyHost, proxyPort] = process.argv.slice(2);

function end(error) {
	if (error)
		console.error('client.js: ' + error.message);
	process.exit(error ? 1 : 0);
}

function secure(socket) {
	const options = {
		socket, servername: host, ca: fs.readFileSync(ca), minVersion: 'TLSv' + version, maxVersion: 'TLSv' + version,
	};
	if (behaviour === 'pin')
		options.checkServerIdentity = () => new Error('this is not the key that was expected');
	const s = tls.connect(options, () => {
		s.write(`GET /node HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
	});
	let got = '';
	s.on('data', (d) => { got += d; });
	s.on('end', () => end(/^HTTP\/1.1 200/.test(got) ? null : new Error('no answer')));
	// The socket is already destroyed by then; give the kernel its turn.
	s.on('error', (e) => setImmediate(() => end(e)));
}

setTimeout(() => end(new Error('timeout')), 15000).unref();
if (proxyHost) {
	const r = http.request({ host: proxyHost, port: proxyPort, method: 'CONNECT', path: host + ':443' });
	r.on('connect', (answer, socket) => (answer.statusCode === 200 ? secure(socket) : end(new Error('CONNECT'))));
	r.on('error', end);
	r.end();
} else {
	const socket = net.connect(443, host, () => secure(socket));
	socket.on('error', end);
}
