// Usage: node drive.js DATA [reversed]: a line per case of cases.py, and a picture of it in DATA.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

const [data, order] = process.argv.slice(2);
const here = import.meta.dirname;

const server = http.createServer((request, response) => {
  const name = decodeURIComponent(request.url.slice(1));
  const file = name.startsWith('data/') ? path.join(data, name.slice(5)) : path.join(here, name);
  const kinds = { '.html': 'text/html', '.js': 'text/javascript' };
  response.writeHead(200, { 'Content-Type': kinds[path.extname(file)] ?? 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  protocolTimeout: 300_000,
});
console.log(await browser.version());
for (const name of fs.readdirSync(data).filter((n) => fs.existsSync(path.join(data, n, 'files.json'))).sort()) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1268, height: 420 });
  await page.goto(`http://127.0.0.1:${server.address().port}/index.html`);
  await page.waitForFunction('window.isReady', { timeout: 60_000 });
  const report = await page.evaluate((n, o) => window.check(n, o), name, order);
  const differing = Object.entries(report).filter(([, v]) => v.ours !== v.both || v.theirs !== v.both);
  const voxels = Object.values(report).reduce((sum, v) => sum + v.both, 0);
  console.log(`${name}: ${Object.keys(report).length} segments, ${voxels} voxels in the same place, ${differing.length} differ`);
  for (const [segment, v] of differing) console.log(`  ${segment}: ${v.ours} here, ${v.theirs} there, ${v.both} in both`);
  await page.screenshot({ path: path.join(data, `${name}.png`) });
  await page.close();
}
await browser.close();
server.close();
