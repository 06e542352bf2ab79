// Lighthouse over some pages in one Chromium. On stdin: {chrome, pages: [[address, cookies], …]}; on stdout: what it finds wrong, a line each.
import { readFileSync } from "node:fs";
import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

const { chrome, pages } = JSON.parse(readFileSync(0, "utf8"));
const started = await launch({ chromePath: chrome, chromeFlags: ["--headless=new", "--no-sandbox"], logLevel: "silent" });
const settings = {
  port: started.port,
  logLevel: "silent",
  onlyCategories: ["accessibility", "best-practices"],
  throttlingMethod: "provided", // nothing is timed here
  disableFullPageScreenshot: true,
  disableStorageReset: true, // what it would clear is the sign-in, and that takes seconds
  skipAboutBlank: true,
  maxWaitForLoad: 5000,
  pauseAfterFcpMs: 0, pauseAfterLoadMs: 0, networkQuietThresholdMs: 500, cpuQuietThresholdMs: 0,
};
try {
  for (const [page, cookie] of pages) {
    const asking = cookie ? { ...settings, extraHeaders: { Cookie: cookie } } : settings;
    const { lhr } = await lighthouse(page, asking, desktopConfig);
    if (lhr.runtimeError) console.log(`${page} ${lhr.runtimeError.message}`);
    for (const { auditRefs } of Object.values(lhr.categories)) {
      for (const { id, weight } of auditRefs) {
        const audit = lhr.audits[id];
        if (!weight || audit.score === null || audit.score >= 1) continue;
        console.log(`${page} ${id}: ${audit.title} ${JSON.stringify(audit.details?.items?.slice(0, 2) ?? "").slice(0, 300)}`);
      }
    }
  }
} finally {
  await started.kill();
}
