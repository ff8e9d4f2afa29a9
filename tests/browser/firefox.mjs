// Firefox, which Playwright cannot drive as Debian ships it: takes one JSON line {url, script} at a time and answers with one,
// {result} or {error}, and {problems}: what the page asked of other servers, could not load, or complained about.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const [executablePath, base] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
for await (const line of createInterface({ input: process.stdin })) {
    const { url, script } = JSON.parse(line), problems = [], answer = { problems };
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
    page.on('console', (message) => message.type() === 'error' && problems.push(`console: ${message.text()}`));
    page.on('request', (request) => /^(https?|wss?):/.test(request.url()) && !request.url().startsWith(base) && problems.push(request.url()));
    page.on('response', (response) => response.status() >= 400 && problems.push(`${response.status()}: ${response.url()}`));
    try {
        await page.goto(url, { timeout: 120_000 });
        answer.result = await page.evaluate(script);
    } catch (error) {
        answer.error = error.message;
    }
    await page.close();
    console.log(JSON.stringify(answer));
}
await browser.close();
