// Keeps one page, for when there is no connection. No record is ever kept: pages go to the network or nowhere.
const KEPT = "t-offline";
const PAGE = new URL("offline", self.registration.scope).href;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const page = await fetch(PAGE, { credentials: "same-origin" });
      const html = await page.clone().text();
      const parts = [...html.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js|svg)(?:\?[^"]*)?)"/g)].map((hit) => hit[1]);
      await caches.delete(KEPT);
      const cache = await caches.open(KEPT);
      await cache.put(PAGE, page);
      await cache.addAll([...new Set(parts)]);
      await self.skipWaiting();
    })(),
  );
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate") event.respondWith(fetch(event.request).catch(() => caches.match(PAGE)));
  else if (!navigator.onLine) event.respondWith(fetch(event.request).catch(async () => (await caches.match(event.request)) ?? Response.error()));
});
